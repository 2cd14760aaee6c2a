from __future__ import annotations

from typing import Any

from dltrain.report.repetitions import read_repetitions


def test_a_run_that_trained_once_has_none(record_of: Any) -> None:
    assert read_repetitions(record_of({}, {"validation": {"loss": 1}})) is None


def test_folds_give_their_mean_spread_and_baselines(record_of: Any) -> None:
    folds = [{"fold": 1, "auc": 0.8}, {"fold": 2, "auc": 0.6}]
    summary = {
        "folds": folds,
        "mean": {"auc": 0.7},
        "sd": {"auc": 0.14},
        "baselines": {"majority": {"mean": {"auc": 0.5}}},
    }
    found = read_repetitions(record_of({}, {"cross_validation": summary}))
    assert found
    assert (found.over, found.part, found.mean, found.deviation) == (
        "2 folds",
        "the folds",
        {"auc": 0.7},
        {"auc": 0.14},
    )
    assert (found.baselines, found.first) == ({"majority": {"auc": 0.5}}, None)


def test_seeds_are_told_by_the_last_part_that_was_scored(record_of: Any) -> None:
    seeds = {
        "runs": [{"seed": 5}, {"seed": 6}, {"seed": 7}],
        "train": {"mean": {"auc": 0.9}, "sd": {"auc": 0.1}},
        "validation": {"mean": {"auc": 0.8}, "sd": {"auc": 0.2}},
    }
    found = read_repetitions(record_of({}, {"seeds": seeds}))
    assert found
    assert (found.over, found.first, found.part, found.mean) == ("3 seeds", 5, "validation", {"auc": 0.8})
    seeds["test"] = {"mean": {"auc": 0.7}, "sd": {"auc": 0.3}}
    tested = read_repetitions(record_of({}, {"seeds": seeds}))
    assert tested
    assert (tested.part, tested.deviation) == ("test", {"auc": 0.3})
