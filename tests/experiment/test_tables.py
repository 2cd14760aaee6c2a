from __future__ import annotations

import math
from typing import Any

import pytest
from rich.console import Console

from dltrain.experiment import tables
from dltrain.experiment.tables import show_folds, show_seeds

FOLDS: dict[str, Any] = {
    "folds": [
        {"fold": 1, "rows": 1000, "best_epoch": 2, "loss": 0.5, "auc": math.nan},
        {"fold": 2, "rows": 1001, "best_epoch": 3, "loss": 0.25, "auc": math.nan},
    ],
    "mean": {"loss": 0.375, "auc": math.nan},
    "sd": {"loss": 0.125, "auc": math.nan},
    "out_of_fold": {"loss": 0.4, "auc": 0.75},
    "baselines": {"mean": {"mean": {"loss": 0.625}, "sd": {"loss": 0.0625}}},
}
SCORES = {"mean": {"loss": 0.375}, "sd": {"loss": 0.125}, "interval": {"loss": [0.25, 0.5]}}
SEEDS: dict[str, Any] = {
    "runs": [{"seed": seed, "best_epoch": 4, "validation": {"loss": 0.5}} for seed in (42, 43)],
    "train": SCORES,
    "validation": SCORES,
    "baselines": {"majority": {"validation": {"mean": {"loss": 0.625}, "sd": {"loss": 0.0625}}}},
}


def words(console: Console) -> list[list[str]]:
    return [line.split() for line in console.export_text().splitlines()]


def test_folds_with_their_mean_and_what_only_all_of_them_together_have(console: Console) -> None:
    show_folds(console, FOLDS)
    *lines, undefined = words(console)
    assert " ".join(undefined) == (
        "auc is not defined on the rows of a single fold; on those of all folds together it is 0.7500."
    )
    assert lines == [
        ["cross-validation,", "2", "folds"],
        ["fold", "rows", "best", "epoch", "loss"],
        ["1", "1,000", "2", "0.5000"],
        ["2", "1,001", "3", "0.2500"],
        ["mean", "0.3750", "±", "0.1250"],
        ["mean", "(baseline)", "0.6250", "±", "0.0625"],
    ]


def test_seeds_are_shown_on_the_part_that_was_scored_last(console: Console) -> None:
    show_seeds(console, SEEDS)
    assert words(console) == [
        ["2", "seeds,", "validation"],
        ["seed", "best", "epoch", "loss"],
        ["42", "4", "0.5000"],
        ["43", "4", "0.5000"],
        ["mean", "0.3750", "±", "0.1250"],
        ["majority", "(baseline)", "0.6250", "±", "0.0625"],
        ["95", "%", "interval", "0.2500", "to", "0.5000"],
    ]


def test_of_many_the_mean_says_enough(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 1)
    show_seeds(console, SEEDS)
    assert [line[0] for line in words(console)] == ["2", "seed", "mean", "majority", "95"]
