from __future__ import annotations

import pytest
from scipy import stats

from dltrain.sweep.importance import importance
from dltrain.sweep.ledger import Entry
from dltrain.sweep.ranking import swept_keys
from dltrain.sweep.standings import Setting, like_the_best, paired_p, settings


def entry(job: int, *words: str, value: float | None = 0.5, **more: object) -> Entry:
    base: dict[str, object] = {"status": "completed", "monitor": "val_loss", "value": value, "overrides": list(words)}
    return Entry(job=str(job), **{**base, **more})  # type: ignore[arg-type]


def sweep_over_seeds(good: list[float], bad: list[float]) -> list[Entry]:
    pairs = [("adam", good), ("sgd", bad)]
    return [
        entry(10 * place + seed, f"optimizer={name}", f"seed={seed}", value=value)
        for place, (name, values) in enumerate(pairs)
        for seed, value in enumerate(values)
    ]


def test_jobs_that_differ_in_their_seed_are_one_setting() -> None:
    found = settings(sweep_over_seeds([0.2, 0.3, 0.4], [0.5, 0.7, 0.6]))
    assert [each.mean for each in found] == pytest.approx([0.3, 0.6])
    assert found[0].deviation == pytest.approx(0.1)
    assert found[1].values == {"0": 0.5, "1": 0.7, "2": 0.6}


def test_clear_difference_is_marked_and_noise_is_not() -> None:
    clear = settings(sweep_over_seeds([0.2, 0.21, 0.2, 0.22, 0.2], [0.5, 0.52, 0.5, 0.52, 0.51]))
    assert like_the_best(clear) == [True, False]
    noise = settings(sweep_over_seeds([0.2, 0.6, 0.3, 0.5], [0.5, 0.3, 0.6, 0.25]))
    assert like_the_best(noise) == [True, True]
    assert like_the_best(settings([entry(0, "a=1"), entry(1, "a=2")])) is None


def test_greater_is_better_for_accuracy_and_the_unfinished_have_no_rank() -> None:
    jobs = [
        entry(0, "a=1", value=0.7, monitor="val_accuracy"),
        entry(1, "a=2", value=0.9, monitor="val_accuracy"),
        entry(2, "a=3", value=None, monitor="val_accuracy"),
        entry(3, "a=4", value=float("nan"), monitor="val_accuracy"),
        entry(4, "a=5", value=1.0, monitor="val_accuracy", status="failed"),
    ]
    assert [each.entries[0].job for each in settings(jobs)] == ["1", "0"]


def test_folds_widen_the_variance() -> None:
    values = [0.1, 0.2, 0.15, 0.12, 0.2], [0.2, 0.22, 0.3, 0.2, 0.21]
    by_fold = [dict(zip("abcde", each, strict=True)) for each in values]
    plain = paired_p(Setting([], by_fold[0], None), Setting([], by_fold[1], None))
    corrected = paired_p(Setting([], by_fold[0], 0.25), Setting([], by_fold[1], 0.25))
    assert plain == pytest.approx(stats.ttest_rel(*values).pvalue)
    assert corrected is not None
    assert plain is not None
    assert corrected > plain
    assert paired_p(Setting([], {"a": 1.0}, None), Setting([], {"a": 2.0}, None)) is None


def test_importance_finds_the_key_that_matters() -> None:
    jobs = [
        entry(place, f"optimizer.learning_rate={rate}", f"model.activation={kind}", value=rate * 10 + 0.01 * odd)
        for place, (rate, odd, kind) in enumerate(
            (rate, odd, kind) for rate in (0.1, 0.2, 0.3, 0.4) for odd, kind in enumerate(("relu", "selu", "tanh"))
        )
    ]
    shares = importance(jobs, "min")
    assert next(iter(shares)) == "optimizer.learning_rate"
    assert shares["optimizer.learning_rate"] > 0.9
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert importance(jobs[:9], "min") == {}


def test_words_that_change_no_number_do_not_part_a_setting() -> None:
    entries = [
        entry(0, "optimizer=adam", "seed=1"),
        entry(1, "optimizer=adam", "seed=2", "extend=True", "quiet=true"),
        entry(2, "retry_failed=True", "seed=3", "optimizer=adam"),
    ]
    (setting,) = settings(entries)
    assert set(setting.values) == {"1", "2", "3"}
    assert swept_keys(entries) == ["seed"]
