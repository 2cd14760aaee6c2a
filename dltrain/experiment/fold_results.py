"""Summarizes the results of the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pandas as pd
from omegaconf import DictConfig

from dltrain.base.files import replace_file
from dltrain.data.folds import Fold
from dltrain.data.targets import Target
from dltrain.experiment.experiment import Problem
from dltrain.experiment.journal import Journal
from dltrain.models.network import build_metrics
from dltrain.preprocessing.fit import Preprocessing
from dltrain.scoring.comparison import Difference, compare, compare_repetitions
from dltrain.scoring.evaluation import Scores, name_of_area, score
from dltrain.scoring.significance import spread

NETWORK = "network"


@dataclass(frozen=True)
class FoldResult:
    """What the training of one fold leaves."""

    fold: Fold
    scores: Scores  # the metrics of the rows that the fold predicted; NaN where a metric is not defined on them
    baselines: dict[str, Scores]  # the metrics of simple models on the same rows
    predictions: pd.DataFrame  # one row for each row that the fold predicted
    answers: dict[str, Any]  # the predictions (rows, units) of the network and of each baseline, by name
    best_epoch: int  # the epoch (from 1) whose weights predicted
    epochs: int
    monitored: float  # the value of the monitored metric
    # Preprocessing and network without any rows, or None where they are not needed
    halves: tuple[Preprocessing, keras.Model] | None


def entry(result: FoldResult) -> dict[str, Any]:
    """Returns the content of a fold's metrics.json."""
    split = result.fold.split
    return {
        "fold": result.fold.number,
        "repeat": result.fold.repeat,
        "seed": result.fold.seed.number,
        "rows": len(split.test),
        "train_rows": len(split.train),
        "validation_rows": len(split.validation),
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
        **result.scores,
    }


def summarize(found: Sequence[FoldResult], problem: Problem, config: DictConfig) -> dict[str, Any]:
    """Returns the content of cv/summary.json: every fold, their mean and standard deviation, and all rows together."""
    over_folds = spread([result.scores for result in found])
    metrics = build_metrics(problem.task, problem.target)
    pooled = []
    for repeat in sorted({result.fold.repeat for result in found}):
        target, answers = out_of_fold([result for result in found if result.fold.repeat == repeat], problem)
        pooled.append(score(metrics, target, answers[NETWORK]))
    together = spread(pooled)["mean"]
    monitored = spread([{"value": result.monitored} for result in found])["mean"]["value"]
    if np.isnan(monitored):  # undefined on every fold, as an area under a curve is where a fold has a single row
        monitored = together[problem.task.monitor.removeprefix("val_")]
    return {
        "name": config.cv.name,
        "monitor": problem.task.monitor,
        "monitored": monitored,
        "val_loss": over_folds["mean"]["loss"],
        "mean": over_folds["mean"],
        "sd": over_folds["sd"],
        "out_of_fold": together,
        "baselines": {name: spread([result.baselines[name] for result in found]) for name in found[0].baselines},
        "folds": [entry(result) for result in found],
    }


def out_of_fold(found: Sequence[FoldResult], problem: Problem) -> tuple[Target, dict[str, Any]]:
    """Returns the target and all predictions of the rows of some folds, in the same order."""
    target = problem.target.take(np.concatenate([result.fold.split.test for result in found]))
    return target, {name: np.concatenate([result.answers[name] for result in found]) for name in found[0].answers}


def difference(found: Sequence[FoldResult], problem: Problem, seed: int) -> Difference:
    """Compares the networks of the folds with the baselines, on the rows that neither was fitted on.

    It is the mean over the folds; `seed` draws an interval over rows where the task does not score the measure.
    """
    splits = [result.fold.split for result in found]
    over_folds = compare_repetitions(
        "folds",
        problem.target,
        [result.scores for result in found],
        [result.baselines for result in found],
        ratio=sum(len(each.test) for each in splits) / sum(len(each.train) + len(each.validation) for each in splits),
        area=name_of_area(build_metrics(problem.task, problem.target)),
    )
    if over_folds is not None:
        return over_folds
    target, answers = out_of_fold([result for result in found if result.fold.repeat == 1], problem)
    return compare("the folds", target, answers.pop(NETWORK), answers, seed)


def write_predictions(found: Sequence[FoldResult], journal: Journal) -> None:
    """Writes cv/predictions.csv: each row's prediction by the network that was trained without it."""
    repeated = found[-1].fold.repeat > 1
    tables = []
    for result in found:
        table = result.predictions.drop(columns="part")
        table.insert(1, "fold", result.fold.number)
        if repeated:
            table.insert(1, "repeat", result.fold.repeat)
        tables.append(table)
    with replace_file(journal.path / "cv" / "predictions.csv") as path:
        pd.concat(tables).to_csv(path, index=False)
