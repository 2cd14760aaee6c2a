"""Builds an experiment from raw data to a compiled network, then trains and scores it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import keras
from omegaconf import DictConfig

from dltrain.base.errors import ConfigError
from dltrain.base.notes import Notes
from dltrain.config import answer_rules
from dltrain.config.build import build
from dltrain.config.seed import Seed
from dltrain.config.split_rules import is_in_time
from dltrain.data.dataset import Dataset
from dltrain.data.split import Split
from dltrain.data.split_columns import without_groups
from dltrain.data.targets import Target
from dltrain.experiment.decisions import HeldOut, refuse_too_few
from dltrain.experiment.decisions import decide as decide_after
from dltrain.experiment.journal import Journal
from dltrain.experiment.score_run import monitored, parts_to_score, predict_parts, score_answers, write_model
from dltrain.experiment.stages import (
    check_rows,
    choose_task,
    draw_rows,
    refuse_ignored,
    split_constraints,
    split_rows,
)
from dltrain.models.network import artifact, build_network
from dltrain.preprocessing.prepared import Prepared, prepare
from dltrain.scoring.evaluation import Results
from dltrain.training.regularization_schedule import schedule_regularization
from dltrain.training.train import Training, compile_for, train_network
from dltrain.training.transfer import FineTuning


@dataclass(frozen=True)
class Problem:
    """A row of the head table (`task`) with the dataset and target of the rows that are used."""

    task: DictConfig
    dataset: Dataset
    target: Target


@dataclass(frozen=True)
class Experiment:
    """Everything that a training needs, compiled: a row of the head table, prepared data, network and batch size."""

    task: DictConfig
    data: Prepared
    network: keras.Model
    batch_size: int

    def train(
        self,
        config: DictConfig,
        journal: Journal,
        *,
        seed: Seed,
        callbacks: DictConfig,
        extra_callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> Training:
        """Trains, and leaves the weights of the best epoch in the network.

        `config` gives `trainer` and `augmentation`; `callbacks` holds nodes by name. `seed` decides the order of rows
        and the augmentation.
        """
        epochs = config.trainer.epochs
        scheduled = build(config.get("regularization_schedule"), key="regularization_schedule", epochs=epochs)
        return train_network(
            self.data,
            self.network,
            task=self.task,
            trainer=config.trainer,
            callbacks=callbacks,
            augmentation=config.augmentation,
            tuning=FineTuning.of(config.model),
            batch_size=self.batch_size,
            seed=seed,
            notes=journal,
            extra_callbacks=extra_callbacks if scheduled is None else [scheduled, *extra_callbacks],
        )

    def score(
        self,
        training: Training,
        config: DictConfig,
        journal: Journal,
        *,
        seed: Seed,
        held_out: HeldOut | None = None,
    ) -> Results:
        """Scores every part, the test part if `score_test` allows it; writes model.keras and predictions.csv.

        `held_out` are rows to fit calibration, threshold and intervals on; None takes the validation part.
        """
        data, task = self.data, self.task
        parts = parts_to_score(data, with_test=config.score_test != "never", journal=journal)
        network, metrics, answers = predict_parts(data, self.network, training, task=task, parts=parts, seed=seed)
        penalty = float(sum(map(float, network.losses)))
        best = monitored(training, metrics, task=task, target=data.target)
        if held_out is None and "validation" in answers:
            held_out = HeldOut("validation", data.truth("validation"), answers["validation"])
        decisions = decide_after(config, held_out, seed)
        results = score_answers(
            data, metrics, answers, task=task, penalty=penalty, seed=seed, journal=journal, decisions=decisions
        )
        write_model(artifact(data.preprocessing, network), data, journal, decisions)
        return dataclasses.replace(
            results,
            best_epoch=training.best_epoch,
            epochs=len(training.history),
            best_value=best,
        )


def pose(config: DictConfig, dataset: Dataset, notes: Notes, typed: Sequence[str]) -> Problem:
    """Chooses the task that fits the raw dataset and encodes the target for it.

    `typed` holds the keys and groups of the command line, all of which must have an effect.

    Raises:
        ConfigError: If the task cannot fit the target, or a typed key has no effect on these columns.
    """
    dataset, told = without_groups(config.split, config.cv, dataset)
    if told:
        notes.note(told)
    task, target = choose_task(config.task, dataset, notes)
    if faults := list(answer_rules.faults_of_task(config, target.kind)):
        raise ConfigError(faults)
    refuse_ignored(typed, dataset, target)
    return Problem(task, dataset, target)


def draw(config: DictConfig, problem: Problem, notes: Notes) -> Problem:
    """Draws the rows that are used, by the keys `rows` and `seed`."""
    dataset, target = draw_rows(config.rows, problem.dataset, problem.target, Seed.of(config).stream("rows"), notes)
    return Problem(problem.task, dataset, target)


def split_problem(config: DictConfig, problem: Problem) -> Split:
    """Splits the rows of a problem as `split` says, for a single training."""
    constraints = split_constraints(problem.dataset, problem.target, config.split)
    return split_rows(config.split, constraints, problem.target, Seed.of(config).stream("split"))


def decide(problem: Problem, split: Split, notes: Notes) -> Problem:
    """Decides by the train rows of a split which columns are features, and of which kind."""
    decided = problem.dataset.decided(split.train)
    for note in decided.notes[len(problem.dataset.notes) :]:
        notes.note(f"  {note}")
    return dataclasses.replace(problem, dataset=decided)


def assemble(config: DictConfig, problem: Problem, journal: Journal) -> Experiment:
    """Draws the rows of a problem, splits and checks them, and builds the experiment."""
    problem = draw(config, problem, journal)
    split = split_problem(config, problem)
    refuse_too_few(config, len(split.validation), "validation")
    journal.split(problem.dataset, split)
    problem = decide(problem, split, journal)
    check_problem(config, problem, split, journal)
    return assemble_on(config, problem, split)


def check_problem(config: DictConfig, problem: Problem, split: Split, notes: Notes) -> None:
    """Looks for leaks and faults in the data, as `checks` says."""
    weighted = problem.task.get("class_weight") is not None
    seed = Seed.of(config).stream("checks")
    check_rows(
        config.checks,
        problem.dataset,
        problem.target,
        split,
        weighted=weighted,
        in_time=is_in_time(config.split),
        seed=seed,
        notes=notes,
    )


def prepare_on(config: DictConfig, problem: Problem, split: Split) -> Prepared:
    """Fits the preprocessing on the train rows of given parts of all rows of the problem."""
    return prepare(
        problem.dataset.decided(split.train),
        problem.target,
        split,
        imputation=config.imputation,
        scaling=config.scaling,
        encoding=config.encoding,
        text=config.text,
        target_scaling=problem.task.get("target_scaling"),
        engine=config.trainer.engine,
        memory_budget=config.trainer.memory_budget,
    )


def assemble_on(config: DictConfig, problem: Problem, split: Split) -> Experiment:
    """Fits the preprocessing and compiles a network on given parts of all rows of the problem."""
    data = prepare_on(config, problem, split)
    network = build_network(
        config.model,
        data.preprocessing,
        data.target,
        activation=problem.task.activation,
        initializer=config.initializer,
        regularizer=config.regularizer,
        normalization=config.normalization,
        embedding_dimension=config.encoding.get("dimension"),
        precision=config.trainer.precision,
        train=data.train_values,
    )
    batch_size = compile_for(
        data, network, task=problem.task, optimizer=config.optimizer, schedule=config.schedule, trainer=config.trainer
    )
    if (changes := config.get("regularization_schedule")) is not None:
        which = {key: changes.get(key, True) for key in ("dropout", "weight_decay")}
        schedule_regularization(network, **which)
    return Experiment(problem.task, data, network, batch_size)
