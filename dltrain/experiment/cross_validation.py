"""Cross-validates: each row outside the test part is predicted by a model that was trained without it."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from typing import cast

import numpy as np
from omegaconf import DictConfig, OmegaConf

from dltrain.config.seed import Seed
from dltrain.data.folds import Fold, make_folds
from dltrain.data.split import Split
from dltrain.experiment.decisions import HeldOut, refuse_too_few
from dltrain.experiment.decisions import decide as decide_after
from dltrain.experiment.experiment import Experiment, Problem, assemble_on, check_problem, decide, draw
from dltrain.experiment.fold_results import (
    NETWORK,
    FoldResult,
    difference,
    entry,
    out_of_fold,
    summarize,
    write_predictions,
)
from dltrain.experiment.journal import Journal
from dltrain.experiment.score_run import parts_to_score, predict_parts, prediction_table, score_answers, write_model
from dltrain.experiment.side_by_side import TrainingJob, forget_states, train_side_by_side
from dltrain.experiment.stages import refuse_lacking_classes, split_constraints, split_rows
from dltrain.experiment.tables import show_folds
from dltrain.internals.determinism import seed_generators
from dltrain.models.ensemble import average, predict
from dltrain.models.network import artifact, build_loss, build_metrics
from dltrain.scoring.baseline_scores import score_baselines
from dltrain.scoring.evaluation import Results, score, undefined
from dltrain.training.train import Training


def cross_validate(config: DictConfig, problem: Problem, journal: Journal) -> tuple[Results, Experiment]:
    """Trains and scores every fold, then makes the model of the run from all rows outside the test part.

    Returns the results of the final model, whose best value is the mean of the monitored metric over the folds, and the
    final experiment.
    """
    problem = draw(config, problem, journal)
    everything, folds = cut_folds(config, problem)
    refuse_too_few(config, len({row for fold in folds for row in fold.split.test.tolist()}), "out-of-fold")
    journal.split(problem.dataset, everything)
    undecided, problem = problem, decide(problem, everything, journal)
    check_problem(config, problem, everything, journal)
    seed_generators(Seed.of(config).stream("weights"), config)
    final = assemble_on(config, problem, everything)
    journal.header(final.data, final.network, final.batch_size)
    # An average of models takes the same columns in all of them.
    found = train_folds(config, problem if config.cv.ensemble else undecided, folds, journal)
    summary = summarize(found, problem, config)
    journal.directory.write_json("cv/summary.json", summary)
    write_predictions(found, journal)
    show_folds(journal.console, summary)
    epochs = round(statistics.median(result.best_epoch for result in found))
    make = _average if config.cv.ensemble else _refit
    truth, answers = out_of_fold([result for result in found if result.fold.repeat == 1], problem)
    held_out = HeldOut("out-of-fold", truth, answers[NETWORK])
    results = make(config, final, found, epochs, journal, held_out)
    forget_states(journal, [f"cv/fold_{fold.number}" for fold in folds])
    results = dataclasses.replace(
        results,
        difference=difference(found, problem, Seed.of(config).stream("comparison")),
        best_value=summary["monitored"],
        cross_validation=summary,
    )
    return results, final


def cut_folds(config: DictConfig, problem: Problem) -> tuple[Split, list[Fold]]:
    """Returns the parts of the final model and the folds."""
    constraints = split_constraints(problem.dataset, problem.target, config.split, config.cv)
    split = split_rows(config.split, constraints, problem.target, Seed.of(config).stream("split"))
    rows = np.sort(np.concatenate([split.train, split.validation]))
    share = len(split.validation) / len(rows)
    if constraints.times is not None:  # with the rows of the gap between train and validation
        rows = np.flatnonzero(constraints.times <= constraints.times[split.validation].max())
    # Each fold has its own validation part. The final model has none, since it trains on all these rows.
    everything = Split(rows, rows[:0], split.test)
    folds = make_folds(
        config.cv,
        constraints,
        rows,
        validation=share,
        seed=Seed.of(config),
        gap=config.split.get("gap") or 0.0,
    )
    for fold in folds:
        refuse_lacking_classes(fold.split, problem.target, f"Fold {fold.number}: ")
    return everything, folds


def train_folds(config: DictConfig, problem: Problem, folds: Sequence[Fold], journal: Journal) -> list[FoldResult]:
    """Trains and scores the given folds side by side; each result is the same as that of the fold alone."""
    by_name = {f"fold {fold.number}": fold for fold in folds}
    # A cell that does not fit the columns of some fold is found before any of them trains.
    problems = [_decide(problem, fold, journal) for fold in folds]

    def assemble(problem: Problem, fold: Fold) -> Experiment:
        return assemble_on(config, problem, fold.split)

    jobs = [
        TrainingJob(
            f"fold {fold.number}",
            fold.seed,
            lambda problem=problem, fold=fold: assemble(problem, fold),  # type: ignore[misc]
            journal.part(f"cv/fold_{fold.number}"),
        )
        for problem, fold in zip(problems, folds, strict=True)
    ]
    return train_side_by_side(
        jobs,
        lambda job, experiment, training: _score_fold(
            by_name[job.name], job, experiment, training, keep=config.cv.ensemble
        ),
        config=config,
        journal=journal,
    )


def _decide(problem: Problem, fold: Fold, journal: Journal) -> Problem:
    """Decides the features by a fold's own train rows, and tells what the run has not told yet."""
    dataset = problem.dataset.decided(fold.split.train)
    for note in dataset.notes[len(problem.dataset.notes) :]:
        if note not in journal.directory.facts["notes"]:
            journal.note(f"  fold {fold.number}: {note}")
    return dataclasses.replace(problem, dataset=dataset)


def _score_fold(fold: Fold, job: TrainingJob, experiment: Experiment, training: Training, *, keep: bool) -> FoldResult:
    data, task = experiment.data, experiment.task
    data.unseal_test(lambda rows: None)  # the fold's test part, which holds no row of the run's test part
    network, found, given = predict_parts(data, experiment.network, training, task=task, parts=["test"], seed=job.seed)
    scores, answers = found["test"], given["test"]
    metrics = build_metrics(task, data.target)
    scores |= dict.fromkeys(undefined(metrics, data.truth("test")), float("nan"))
    history = training.history[training.best_epoch - 1]
    name = task.monitor.removeprefix("val_")
    monitored = scores[name] if task.monitor.startswith("val_") else history[task.monitor]
    baselines, simple = score_baselines(data, ["train", "test"], metrics, job.seed.stream("baselines"))
    result = FoldResult(
        fold,
        scores,
        {name: found["test"] for name, found in baselines.items()},
        prediction_table("test", data.row_ids("test"), data.truth("test"), answers),
        {**simple, NETWORK: answers},
        training.best_epoch,
        len(training.history),
        monitored,
        (data.preprocessing, network) if keep else None,
    )
    job.journal.directory.write_json("metrics.json", entry(result))
    return result


def _refit(
    config: DictConfig,
    final: Experiment,
    found: Sequence[FoldResult],
    epochs: int,
    journal: Journal,
    held_out: HeldOut,
) -> Results:
    """Trains on all rows outside the test part, for the given number of epochs."""
    watching = [str(name) for name, node in config.callbacks.items() if node is not None and "monitor" in node]
    journal.note(
        f"model.keras is trained on all {len(final.data.split.train):,} rows outside the test part for {epochs} "
        "epochs, the median best epoch of the folds; no validation part is left for "
        f"{', '.join(watching) or 'callbacks'}"
    )
    seed_generators(Seed.of(config).stream("weights"), config)
    training = final.train(
        cast("DictConfig", OmegaConf.merge(config, {"trainer": {"epochs": epochs}})),
        journal,
        seed=Seed.of(config),
        callbacks=OmegaConf.masked_copy(config.callbacks, [name for name in config.callbacks if name not in watching]),
    )
    return final.score(training, config, journal, seed=Seed.of(config), held_out=held_out)


def _average(
    config: DictConfig,
    final: Experiment,
    found: Sequence[FoldResult],
    epochs: int,
    journal: Journal,
    held_out: HeldOut,
) -> Results:
    """Averages the models of the folds."""
    data, task = final.data, final.task
    journal.note(f"model.keras averages the models of the {len(found)} folds")
    models = [artifact(*result.halves, name=f"fold_{result.fold.number}") for result in found if result.halves]
    model = average(models, data.target.kind)
    parts = parts_to_score(data, with_test=config.score_test != "never", journal=journal)
    answers = {part: predict(model, data.raw(part)) for part in parts}
    loss, metrics = build_loss(task, data.target), build_metrics(task, data.target)
    scores = {}
    for part, given in answers.items():
        truth = data.truth(part)
        of_rows = float(loss(truth.column, given, sample_weight=truth.relative_weights))
        scores[part] = {"loss": of_rows, **score(metrics, truth, given)}
    seed, decisions = Seed.of(config), decide_after(config, held_out, Seed.of(config))
    results = score_answers(
        data, scores, answers, task=task, penalty=0.0, seed=seed, journal=journal, decisions=decisions
    )
    write_model(model, data, journal, decisions)
    return dataclasses.replace(results, best_epoch=epochs, epochs=max(result.epochs for result in found))
