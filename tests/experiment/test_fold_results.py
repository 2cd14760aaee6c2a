"""What is told of folds, from answers that are given here."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from scipy import stats

from dltrain.config.seed import Seed
from dltrain.data.folds import Fold
from dltrain.data.split import Split
from dltrain.data.targets import encode
from dltrain.experiment.experiment import Problem
from dltrain.experiment.fold_results import FoldResult, difference, entry, summarize, write_predictions

VALUES = np.arange(12.0)


@pytest.fixture
def problem(compose_config: Any, make_dataset: Any) -> Problem:
    dataset = make_dataset({"a": VALUES}, VALUES)
    task = compose_config("task=regression", "dataset.problem=regression").task
    return Problem(task, dataset, encode(dataset, "regression"))


def result(number: int, error: float, *, repeat: int = 1, monitored: float = 0.5) -> FoldResult:
    """Of the fold of six rows whose network is off by `error`."""
    rows = np.arange(6) + 6 * (number % 2)
    others = np.setdiff1d(np.arange(12), rows)
    answers = VALUES[rows, None].astype(np.float32)
    return FoldResult(
        fold=Fold(number, repeat, Seed(40 + number, 2), Split(others[:4], others[4:], rows)),
        scores={"loss": error**2, "rmse": error},
        baselines={"mean": {"rmse": 3.0 + number}},
        predictions=pd.DataFrame({"row_id": rows, "part": "test", "prediction": VALUES[rows] + error}),
        answers={"network": answers + error, "mean": np.full((6, 1), 5.5)},
        best_epoch=number,
        epochs=9,
        monitored=monitored,
        halves=None,
    )


def test_entry_of_a_fold_counts_its_rows() -> None:
    assert entry(result(1, 0.5)) == {
        "fold": 1, "repeat": 1, "seed": 41, "rows": 6, "train_rows": 4, "validation_rows": 2, "best_epoch": 1,
        "epochs": 9, "loss": 0.25, "rmse": 0.5,
    }  # fmt: skip


def test_summary_has_mean_and_spread_of_folds_and_the_metrics_of_all_rows_together(problem: Problem) -> None:
    config = OmegaConf.create({"cv": {"name": "kfold"}})
    summary = summarize([result(1, 3.0, monitored=0.25), result(2, 4.0, monitored=0.75)], problem, config)
    assert (summary["name"], summary["monitored"], summary["val_loss"]) == ("kfold", 0.5, 12.5)
    assert summary["mean"] == {"loss": 12.5, "rmse": 3.5}
    assert summary["sd"]["rmse"] == pytest.approx(np.std([3, 4], ddof=1))
    assert summary["out_of_fold"]["rmse"] == pytest.approx(np.sqrt(12.5))
    assert summary["baselines"]["mean"]["mean"] == {"rmse": 4.5}
    assert [fold["fold"] for fold in summary["folds"]] == [1, 2]


def test_what_no_fold_has_is_monitored_over_all_rows(problem: Problem) -> None:
    problem.task.monitor = "val_rmse"
    found = [result(number, 2.0, monitored=float("nan")) for number in (1, 2)]
    summary = summarize(found, problem, OmegaConf.create({"cv": {"name": "kfold"}}))
    assert summary["monitored"] == pytest.approx(2.0)


def test_repeats_are_pooled_one_by_one(problem: Problem) -> None:
    found = [result(1, 1.0), result(2, 1.0), result(3, 3.0, repeat=2), result(4, 3.0, repeat=2)]
    summary = summarize(found, problem, OmegaConf.create({"cv": {"name": "repeated"}}))
    assert summary["out_of_fold"]["rmse"] == pytest.approx(2.0)


def test_folds_are_compared_by_their_mean(problem: Problem) -> None:
    compared = difference([result(1, 1.0), result(2, 1.5), result(3, 1.0), result(4, 1.0)], problem, seed=0)
    gains = np.array([3.0, 3.5, 5.0, 6.0])  # 3 + number less the error
    assert compared.value == pytest.approx(gains.mean())
    assert compared.interval is not None
    # Nadeau & Bengio 2003: four folds of six rows, with six others each.
    half = stats.t.ppf(0.975, 3) * np.sqrt((1 / 4 + 1) * gains.var(ddof=1))
    assert compared.interval == pytest.approx((gains.mean() - half, gains.mean() + half))
    assert compared.sentence().startswith("is within noise of mean over 4 folds: -4.38 rmse (")


def test_rows_are_compared_where_the_folds_do_not_score_the_measure(problem: Problem) -> None:
    found = [dataclasses.replace(result(number, 1.0), scores={"loss": 1.0}) for number in (1, 2)]
    compared = difference(found, problem, seed=0)
    assert (compared.part, compared.metric, compared.baseline) == ("the folds", "rmse", "mean")
    assert compared.value == pytest.approx(np.sqrt(np.mean((VALUES - 5.5) ** 2)) - 1.0)


@pytest.mark.parametrize("repeats", [1, 2])
def test_predictions_say_the_fold_and_the_repeat_where_there_are_several(
    make_journal: Any, tmp_path: Path, repeats: int
) -> None:
    (tmp_path / "cv").mkdir()
    found = [result(1, 0.5), result(2, 0.5, repeat=repeats)]
    write_predictions(found, make_journal(tmp_path))
    table = pd.read_csv(tmp_path / "cv" / "predictions.csv")
    assert list(table) == ["row_id", *(["repeat"] if repeats > 1 else []), "fold", "prediction"]
    assert table["fold"].tolist() == [1] * 6 + [2] * 6
    assert sorted(table["row_id"]) == list(range(12))
