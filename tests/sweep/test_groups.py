from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dltrain.sweep.groups import like_the_best, settings
from dltrain.sweep.importance import importance
from dltrain.sweep.ledger import Entry
from dltrain.sweep.significance import holm, paired_p


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
    best = dict(zip("abcde", [0.1, 0.2, 0.15, 0.12, 0.2], strict=True))
    other = dict(zip("abcde", [0.2, 0.22, 0.3, 0.2, 0.21], strict=True))
    plain, corrected = paired_p(best, other, None), paired_p(best, other, 5)
    assert plain == pytest.approx(stats.ttest_rel(list(best.values()), list(other.values())).pvalue)
    assert corrected is not None
    assert plain is not None
    assert corrected > plain
    assert paired_p({"a": 1.0}, {"a": 2.0}, None) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_between_the_raw_values_and_bonferroni(values: list[float]) -> None:
    adjusted = holm(values)
    for raw, each in zip(values, adjusted, strict=True):
        assert raw <= each <= 1
        assert each <= max(1.0 if len(values) * v >= 1 else len(values) * v for v in values)
    order = np.argsort(values, kind="stable")
    assert list(np.array(adjusted)[order]) == sorted(adjusted)
    assert adjusted[order[0]] == pytest.approx(min(1.0, len(values) * min(values)))


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
