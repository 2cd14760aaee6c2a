from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import DictConfig
from scipy import stats

from dltrain.sweeps.keep import remove_models
from dltrain.sweeps.ledger import Entry, Ledger
from dltrain.sweeps.ranking import swept_keys
from dltrain.sweeps.standings import Setting, like_the_best, paired_p, settings, standings

from .conftest import entry

# Loss and accuracy disagree; 1 and 3 are equal in accuracy.
LOSSES, ACCURACIES, PARAMETERS = [0.4, 0.1, 0.3, 0.2, 0.5, 0.6], [0.7, 0.6, 0.9, 0.6, 0.8, 0.5], [9, 8, 9, 7, 5, 5]


def jobs() -> list[Entry]:
    numbers = zip(LOSSES, ACCURACIES, PARAMETERS, strict=True)
    return [
        Entry(
            job=str(place),
            overrides=[f"trainer.batch_size={place + 1}"],
            status="completed",
            monitor="val_loss",
            value=loss,
            metrics={"loss": loss, "accuracy": accuracy},
            parameters=parameters,
        )
        for place, (loss, accuracy, parameters) in enumerate(numbers)
    ]


@pytest.mark.parametrize(
    ("objectives", "order"),
    [
        ({}, "132045"),
        ({"val_accuracy": "max"}, "240135"),
        ({"val_accuracy": "min"}, "513042"),
        ({"parameters": "min"}, "453102"),
    ],
)
def test_the_objective_gives_the_order(objectives: dict[str, str], order: str) -> None:
    found = standings(jobs(), objectives)
    assert "".join(each.entries[0].job for each in found.settings) == order
    assert found.entries[0].monitor == next(iter(objectives), "val_loss")
    assert found.front == []


def test_of_several_objectives_the_first_gives_the_order_and_the_winner_is_on_the_front() -> None:
    # 4 and 5 have the fewest parameters, and 4 the greater accuracy.
    found = standings([*jobs()[:4], jobs()[5], jobs()[4]], {"parameters": "min", "val_accuracy": "max"})
    assert found.settings[0].entries[0].job == "4"
    assert [each.entries[0].job for each, _ in found.front] == ["4", "2"]
    assert found.front[0][1] == {"parameters": 5, "val_accuracy": 0.8}


def test_folds_of_the_objective_are_the_values_of_a_setting() -> None:
    folds = {"loss": {"fold 1": 0.1, "fold 2": 0.3}, "accuracy": {"fold 1": 0.8, "fold 2": 0.9}}
    metrics: dict[str, float | None] = {"loss": 0.2, "accuracy": 0.85}
    entry = Entry(job="0", status="completed", monitor="val_loss", value=0.2, metrics=metrics, repeats=folds)
    (setting,) = standings([entry], {"val_accuracy": "max"}).settings
    assert setting.values == folds["accuracy"]


@pytest.mark.parametrize(("objectives", "left"), [(["val_accuracy"], "01234"), (["parameters", "val_loss"], "12345")])
def test_the_best_by_the_objectives_keep_their_models(tmp_path: Path, objectives: list[str], left: str) -> None:
    ledger = Ledger(tmp_path)
    for job in jobs():
        ledger.append(job)
        (tmp_path / job.job).mkdir()
        (tmp_path / job.job / "model.keras").touch()
    remove_models(ledger, DictConfig({"keep": "best", "search": {"objectives": objectives, "directions": "auto"}}))
    assert "".join(sorted(path.parent.name for path in tmp_path.glob("*/model.keras"))) == left


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


def test_words_that_change_no_number_do_not_part_a_setting() -> None:
    entries = [
        entry(0, "optimizer=adam", "seed=1"),
        entry(1, "optimizer=adam", "seed=2", "extend=True", "quiet=true"),
        entry(2, "retry_failed=True", "seed=3", "optimizer=adam"),
    ]
    (setting,) = settings(entries)
    assert set(setting.values) == {"1", "2", "3"}
    assert swept_keys(entries) == ["seed"]
