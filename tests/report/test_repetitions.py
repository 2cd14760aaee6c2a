from __future__ import annotations

from typing import Any

import pytest

from dltrain.config.metric_traits import traits_by_name
from dltrain.report.repetition_pictures import repetition_pictures
from dltrain.report.repetitions import read_repetitions

FOLDS = [{"fold": 1, "rows": 9, "best_epoch": 2, "auc": 0.8}, {"fold": 2, "rows": 8, "best_epoch": 1, "auc": 0.6}]
SUMMARY = {
    "folds": FOLDS,
    "mean": {"auc": 0.7},
    "sd": {"auc": 0.14},
    "baselines": {"majority": {"mean": {"auc": 0.5}, "sd": {"auc": 0.0}}, "linear": {"mean": {"auc": 0.65}}},
}
SEEDS = {
    "runs": [{"seed": seed, "best_epoch": seed - 40, "test": {"auc": seed / 100}} for seed in (42, 43)],
    "validation": {"mean": {"auc": 0.8}, "sd": {"auc": 0.2}},
    "test": {"mean": {"auc": 0.425}, "sd": {"auc": 0.25}, "interval": {"auc": [0.25, 0.75], "loss": None}},
}


def test_a_run_that_trained_once_has_none(record_of: Any) -> None:
    assert read_repetitions(record_of({}, {"validation": {"loss": 1}})) is None


def test_folds_give_their_mean_spread_and_baselines(record_of: Any) -> None:
    found = read_repetitions(record_of({}, {"cross_validation": SUMMARY}))
    assert found
    assert (found.over, found.part, found.first) == ("2 folds", "the folds", None)
    assert found.baseline_means("auc") == {"majority": 0.5, "linear": 0.65}
    assert found.baseline_means("loss") == {}
    assert found.table() == (
        ["fold", "rows", "best epoch", "auc"],
        [
            ["1", "9", 2, "0.8000"],
            ["2", "8", 1, "0.6000"],
            ["mean ± sd", "", "", "0.7000 ± 0.1400"],
            ["majority (baseline)", "", "", "0.5000 ± 0.0000"],
            ["linear (baseline)", "", "", "0.6500"],
        ],
    )


def test_seeds_are_told_by_the_last_part_that_was_scored(record_of: Any) -> None:
    found = read_repetitions(record_of({}, {"seeds": SEEDS}))
    assert found
    assert (found.over, found.first, found.part, found.mean) == ("2 seeds", "42", "test", {"auc": 0.425})
    assert found.table() == (
        ["seed", "best epoch", "auc"],
        [
            ["42", 2, "0.4200"],
            ["43", 3, "0.4300"],
            ["mean ± sd", "", "0.4250 ± 0.2500"],
            ["95 % interval of the mean", "", "0.2500 to 0.7500"],
        ],
    )
    older = {**SEEDS, "test": {"mean": {"auc": 0.7}, "sd": {"auc": 0.3}}}
    found = read_repetitions(record_of({}, {"seeds": older}))
    assert found
    assert found.table()[1][-1] == ["mean ± sd", "", "0.7000 ± 0.3000"]


@pytest.mark.parametrize(("worst", "best"), [(None, "0.6000 to 0.8000"), (0.1, "0.1000 to 0.8000")])
def test_pictures_of_all_folds_beside_the_best_baseline(record_of: Any, worst: float | None, best: str) -> None:
    folds = [*FOLDS, {"fold": 3, "best_epoch": None, "auc": worst}]  # an area can be undefined
    record = record_of({}, {"cross_validation": {**SUMMARY, "folds": folds}})
    for fold in (1, 2):
        history = record.path / "cv" / f"fold_{fold}" / "history.csv"
        history.parent.mkdir(parents=True)
        history.write_text("epoch,loss,val_auc\n1,2,0.5\n2,1,0.6\n")
    found = read_repetitions(record)
    assert found
    scores, curves = repetition_pictures(found, "auc", traits_by_name("auc"), "val_auc")
    assert f"each of 3 folds, from {best}; the line is their mean 0.7000" in scores.message
    assert "band one standard deviation, 0.1400" in scores.message
    assert scores.message.endswith("The dashed line is the mean of linear, 0.6500.")
    assert curves.message == (
        "val_auc over the epochs, a line for each of 2 folds. A dot is its best epoch, between 1 and 2."
    )
    assert ">linear</text>" in scores.template
    assert ">fold</text>" in curves.template
    assert len(repetition_pictures(found, "auc", traits_by_name("auc"), "val_loss")) == 1
