"""Cross-validation: each row outside the test part is predicted by a model that was trained without it."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import keras
import numpy as np
import pandas as pd
from omegaconf import DictConfig, OmegaConf

from dltrain.comparison import Difference, compare
from dltrain.data.dataset import Dataset
from dltrain.data.folds import Fold, group_numbers, make_folds
from dltrain.data.load import refuse_lacking_classes, split_rows, split_source
from dltrain.data.split import Split
from dltrain.evaluation import Results, Scores, score, undefined
from dltrain.experiment import Experiment, Problem, assemble_on, check_problem, pose
from dltrain.files import replace_file
from dltrain.journal import Journal
from dltrain.models.network import build_metrics
from dltrain.scoring import prediction_table, score_baselines, score_run
from dltrain.side_by_side import Job, forget_states, train_side_by_side
from dltrain.spread import spread
from dltrain.tables import show_folds
from dltrain.targets import Target
from dltrain.training.train import Training, train_network

NETWORK = "network"


@dataclass(frozen=True)
class FoldResult:
    """What is left of the training of a fold.

    Attributes:
        fold: its rows.
        scores: metrics of the rows that it scored; NaN where a metric is not defined on them.
        baselines: metrics of simple models on the same rows.
        predictions: a row for each row that it scored.
        answers: of the network and of the baselines, by name; shape (rows, units).
        best_epoch: the epoch (from 1) whose weights answered.
        epochs: how many epochs were run.
        monitored: the value of the monitored metric.
    """

    fold: Fold
    scores: Scores
    baselines: dict[str, Scores]
    predictions: pd.DataFrame
    answers: dict[str, Any]
    best_epoch: int
    epochs: int
    monitored: float


def cross_validate(config: DictConfig, dataset: Dataset, journal: Journal) -> tuple[Results, Experiment]:
    """Trains and scores every fold, then makes the model of the run from all rows outside the test part.

    Args:
        config: composed and checked; its `cv` is not null.
        dataset: raw.
        journal: of the run.

    Returns:
        The results of the final model, with the mean of the monitored metric over the folds as best value; and the
        final model.
    """
    problem = pose(config, dataset, journal)
    groups = group_numbers(problem.dataset, config.cv.group, config.cv.folds) if config.cv.get("group") else None
    split = split_rows(config.split, problem.dataset, problem.target, config.seed, journal, groups)
    check_problem(config, problem, split, journal)
    rows = np.sort(np.concatenate([split.train, split.validation]))
    everything = Split(rows, rows[:0], split.test)
    folds = make_folds(
        config.cv,
        split_source(problem.dataset, problem.target, groups),
        rows,
        validation=len(split.validation) / len(rows),
        seed=config.seed,
    )
    for fold in folds:
        refuse_lacking_classes(fold.split, problem.target, f"Fold {fold.number}: ")
    keras.utils.set_random_seed(config.seed)
    final = assemble_on(config, problem, everything)
    journal.header(final.data, final.network, final.batch_size)
    journal.signature(final.data)
    found = train_folds(config, problem, folds, journal)
    summary = summarize(found, problem, config)
    journal.directory.write_json("cv/summary.json", summary)
    _write_predictions(found, repeated=folds[-1].repeat > 1, journal=journal)
    show_folds(journal.console, summary)
    epochs = round(statistics.median(result.best_epoch for result in found))
    training = _refit(config, final, epochs, journal)
    forget_states(journal, [f"cv/fold_{fold.number}" for fold in folds])
    results = score_run(
        final.data,
        final.network,
        training,
        task=final.task,
        with_test=config.score_test != "never",
        seed=config.seed,
        journal=journal,
    )
    if "test" not in results.metrics:  # the train rows would flatter the network
        results = dataclasses.replace(results, difference=_difference(found, problem, config.seed))
    return dataclasses.replace(results, best_value=summary["monitored"], cross_validation=summary), final


def train_folds(config: DictConfig, problem: Problem, folds: Sequence[Fold], journal: Journal) -> list[FoldResult]:
    """Trains and scores some folds; each gives what it gives alone.

    Args:
        config: composed and checked.
        problem: of all rows.
        folds: which of them to train.
        journal: of the run.
    """
    by_name = {f"fold {fold.number}": fold for fold in folds}

    def assemble(fold: Fold) -> Experiment:
        return assemble_on(config, problem, fold.split)

    jobs = [
        Job(name, fold.seed, lambda fold=fold: assemble(fold), journal.part(f"cv/fold_{fold.number}"))  # type: ignore[misc]
        for name, fold in by_name.items()
    ]
    return train_side_by_side(
        jobs,
        lambda job, experiment, training: _score_fold(by_name[job.name], job, experiment, training),
        config=config,
        journal=journal,
    )


def _score_fold(fold: Fold, job: Job, experiment: Experiment, training: Training) -> FoldResult:
    data, task = experiment.data, experiment.task
    data.unseal_test(lambda rows: None)  # the fold's own, which holds no row of the run's test part
    source = data.source("test")
    scores = training.engine.evaluate(source)
    answers = training.engine.predict(source)
    metrics = build_metrics(task, data.target)
    scores |= dict.fromkeys(undefined(metrics, data.truth("test")), float("nan"))
    history = training.history[training.best_epoch - 1]
    name = task.monitor.removeprefix("val_")
    monitored = scores[name] if task.monitor.startswith("val_") else history[task.monitor]
    baselines, simple = score_baselines(data, ["train", "test"], metrics, job.seed)
    result = FoldResult(
        fold,
        scores,
        {name: found["test"] for name, found in baselines.items()},
        prediction_table(data, "test", answers),
        {**simple, NETWORK: answers},
        training.best_epoch,
        len(training.history),
        monitored,
    )
    job.journal.directory.write_json("metrics.json", _entry(result))
    return result


def _entry(result: FoldResult) -> dict[str, Any]:
    split = result.fold.split
    return {
        "fold": result.fold.number,
        "repeat": result.fold.repeat,
        "seed": result.fold.seed,
        "rows": len(split.test),
        "train_rows": len(split.train),
        "validation_rows": len(split.validation),
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
        **result.scores,
    }


def summarize(found: Sequence[FoldResult], problem: Problem, config: DictConfig) -> dict[str, Any]:
    """The content of cv/summary.json: every fold, mean and standard deviation over the folds, and all rows together.

    Args:
        found: the results of all folds.
        problem: of all rows.
        config: composed and checked.
    """
    over_folds = spread([result.scores for result in found])
    metrics = build_metrics(problem.task, problem.target)
    pooled = []
    for repeat in sorted({result.fold.repeat for result in found}):
        target, answers = _out_of_fold([result for result in found if result.fold.repeat == repeat], problem)
        pooled.append(score(metrics, target, answers[NETWORK]))
    out_of_fold = spread(pooled)["mean"]
    monitored = spread([{"value": result.monitored} for result in found])["mean"]["value"]
    if np.isnan(monitored):  # no fold has it, such as an area under a curve where each scores a single row
        monitored = out_of_fold[problem.task.monitor.removeprefix("val_")]
    return {
        "name": config.cv.name,
        "monitor": problem.task.monitor,
        "monitored": monitored,
        "val_loss": over_folds["mean"]["loss"],
        "mean": over_folds["mean"],
        "sd": over_folds["sd"],
        "out_of_fold": out_of_fold,
        "baselines": {name: spread([result.baselines[name] for result in found]) for name in found[0].baselines},
        "folds": [_entry(result) for result in found],
    }


def _out_of_fold(found: Sequence[FoldResult], problem: Problem) -> tuple[Target, dict[str, Any]]:
    """The target and all answers of the rows of some folds, in the same order."""
    target = problem.target.take(np.concatenate([result.fold.split.test for result in found]))
    return target, {name: np.concatenate([result.answers[name] for result in found]) for name in found[0].answers}


def _difference(found: Sequence[FoldResult], problem: Problem, seed: int) -> Difference:
    """The networks of the folds against the baselines, on the rows that neither was fitted on."""
    target, answers = _out_of_fold([result for result in found if result.fold.repeat == 1], problem)
    return compare("the folds", target, answers.pop(NETWORK), answers, seed)


def _write_predictions(found: Sequence[FoldResult], *, repeated: bool, journal: Journal) -> None:
    tables = []
    for result in found:
        table = result.predictions.drop(columns="part")
        table.insert(1, "fold", result.fold.number)
        if repeated:
            table.insert(1, "repeat", result.fold.repeat)
        tables.append(table)
    with replace_file(journal.path / "cv" / "predictions.csv") as path:
        pd.concat(tables).to_csv(path, index=False)


def _refit(config: DictConfig, final: Experiment, epochs: int, journal: Journal) -> Training:
    """Trains on all rows outside the test part, for as long as the folds were best trained."""
    watching = [str(name) for name, node in config.callbacks.items() if node is not None and "monitor" in node]
    journal.note(
        f"model.keras is trained on all {len(final.data.split.train):,} rows outside the test part for {epochs} "
        "epochs, the median best epoch of the folds; no validation part is left for "
        f"{', '.join(watching) or 'callbacks'}"
    )
    keras.utils.set_random_seed(config.seed)
    return train_network(
        final.data,
        final.network,
        task=final.task,
        trainer=cast("DictConfig", OmegaConf.merge(config.trainer, {"epochs": epochs})),
        callbacks=OmegaConf.masked_copy(config.callbacks, [name for name in config.callbacks if name not in watching]),
        batch_size=final.batch_size,
        seed=config.seed,
        journal=journal,
    )
