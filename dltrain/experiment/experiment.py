"""From raw data to a compiled network: task, split, preprocessing, network; then its training and its scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
from omegaconf import DictConfig

from dltrain.base.notes import Notes
from dltrain.config.build import build
from dltrain.data.dataset import Dataset
from dltrain.data.split import Split
from dltrain.data.targets import Target
from dltrain.experiment.journal import Journal
from dltrain.experiment.score_run import score_run
from dltrain.experiment.stages import check_rows, choose_task, draw_rows, refuse_ignored, split_rows
from dltrain.models.network import build_network
from dltrain.preprocessing.prepared import Prepared, prepare
from dltrain.scoring.evaluation import Results
from dltrain.training.regularization_schedule import schedule_regularization
from dltrain.training.train import Training, compile_for, train_network
from dltrain.training.transfer import FineTuning


@dataclass(frozen=True)
class Problem:
    """What is to be learnt from which rows.

    Attributes:
        task: the row of the head table.
        dataset: the rows that are used.
        target: of these rows.
    """

    task: DictConfig
    dataset: Dataset
    target: Target


@dataclass(frozen=True)
class Experiment:
    """Everything that a training needs, ready and compiled.

    Attributes:
        task: the row of the head table.
        data: split and preprocessed.
        network: compiled.
        batch_size: rows a step.
    """

    task: DictConfig
    data: Prepared
    network: keras.Model
    batch_size: int

    def train(
        self,
        config: DictConfig,
        journal: Journal,
        *,
        seed: int,
        callbacks: DictConfig,
        extra_callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> Training:
        """Trains, and leaves the best epoch's weights in the network.

        Args:
            config: composed and checked; its `trainer` and `augmentation` hold.
            journal: of the training.
            seed: of the order of rows and of the augmentation.
            callbacks: nodes by name.
            extra_callbacks: callbacks beside them.

        Raises:
            ConfigError: a callback cannot work with this run.
            RunError: the training diverged.
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

    def score(self, training: Training, config: DictConfig, journal: Journal, *, seed: int) -> Results:
        """Scores every part, the test part if `score_test` allows it; writes model.keras and predictions.csv.

        Args:
            training: of this experiment.
            config: composed and checked.
            journal: of the training.
            seed: of the resampling.
        """
        return score_run(
            self.data,
            self.network,
            training,
            task=self.task,
            with_test=config.score_test != "never",
            seed=seed,
            journal=journal,
        )


def pose(config: DictConfig, dataset: Dataset, notes: Notes, typed: Sequence[str]) -> Problem:
    """The task that fits the dataset.

    Args:
        config: composed and checked.
        dataset: raw, all its rows.
        notes: told of what was chosen.
        typed: the keys and groups of the command line, none of which may be without effect.

    Raises:
        ConfigError: the task cannot fit the target, or a typed key has no effect on these columns.
    """
    task, target = choose_task(config.task, dataset, notes)
    refuse_ignored(typed, dataset, target)
    return Problem(task, dataset, target)


def draw(config: DictConfig, problem: Problem, notes: Notes) -> Problem:
    """The problem on the rows that are used, as `rows` and `seed` of the config draw them."""
    dataset, target = draw_rows(config.rows, problem.dataset, problem.target, config.seed, notes)
    return Problem(problem.task, dataset, target)


def assemble(config: DictConfig, problem: Problem, journal: Journal) -> Experiment:
    """From a problem to a compiled network, on rows and parts of its own.

    Args:
        config: composed and checked.
        problem: of all rows.
        journal: told of what was chosen; keeps the parts.
    """
    problem = draw(config, problem, journal)
    split = split_rows(config.split, problem.dataset, problem.target, config.seed)
    journal.split(problem.dataset, split)
    check_problem(config, problem, split, journal)
    return assemble_on(config, problem, split)


def check_problem(config: DictConfig, problem: Problem, split: Split, notes: Notes) -> None:
    """Looks for leaks and faults in the data, as `checks` says."""
    weighted = problem.task.get("class_weight") is not None
    check_rows(config.checks, problem.dataset, problem.target, split, weighted=weighted, seed=config.seed, notes=notes)


def assemble_on(config: DictConfig, problem: Problem, split: Split) -> Experiment:
    """Preprocessing and network for given parts.

    Args:
        config: composed and checked.
        problem: of all rows.
        split: positions of the rows of each part.
    """
    data = prepare(
        problem.dataset,
        problem.target,
        split,
        imputation=config.imputation,
        scaling=config.scaling,
        encoding=config.encoding,
        text=config.text,
        scales_target=problem.task.get("target_scaling") == "standard",
        engine=config.trainer.engine,
        memory_budget=config.trainer.memory_budget,
    )
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
        train=data.of_train_rows,
    )
    batch_size = compile_for(
        data, network, task=problem.task, optimizer=config.optimizer, schedule=config.schedule, trainer=config.trainer
    )
    if (changes := config.get("regularization_schedule")) is not None:
        which = {key: changes.get(key, True) for key in ("dropout", "weight_decay")}
        schedule_regularization(network, **which)
    return Experiment(problem.task, data, network, batch_size)
