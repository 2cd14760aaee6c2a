"""One experiment: dataset, task, split, preprocessing, network, training, scoring, run directory."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from omegaconf import DictConfig

from dltrain.data.dataset import Dataset
from dltrain.data.load import check_rows, choose_task, draw_rows, load_dataset, refuse_ignored, split_rows
from dltrain.determinism import fix_randomness
from dltrain.errors import RunError
from dltrain.evaluation import Results
from dltrain.journal import Journal
from dltrain.models.network import build_network
from dltrain.prepared import Prepared, prepare
from dltrain.report.end import report_run
from dltrain.scoring import score_run
from dltrain.training.train import compile_for, train_network


def run_job(config: DictConfig) -> float:
    """Hydra's job: runs the experiment of a composed config in Hydra's output directory.

    Returns:
        The best value of the monitored metric, for sweepers.

    Raises:
        DltrainError: a fault of config, data or training; the run directory tells which. Or a completed run that does
            not beat its baselines where that is required.
    """
    with Journal.open(config) as journal:
        results = run(config, journal)
    require_what_was_asked(config, results)
    return results.best_value


def require_what_was_asked(config: DictConfig, results: Results) -> None:
    """Makes an exit code of a result that is not good enough.

    Raises:
        RunError: `require_beats_baseline` is set, and the run does not.
    """
    if config.require_beats_baseline and not results.difference.beats:
        raise RunError(f"require_beats_baseline: the run completed and {results.difference.sentence()}.")


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


def run(config: DictConfig, journal: Journal) -> Results:
    """Runs the experiment from raw data to a run directory; behind this module nobody sees the whole config.

    Args:
        config: composed and checked.
        journal: what the run tells, to the terminal and into its directory.
    """
    fix_randomness(config.seed, config.trainer.deterministic)
    dataset = load_dataset(config.dataset, journal)
    experiment = assemble(config, dataset, journal)
    journal.header(experiment.data, experiment.network, experiment.batch_size)
    training = train_network(
        experiment.data,
        experiment.network,
        task=experiment.task,
        trainer=config.trainer,
        callbacks=config.callbacks,
        batch_size=experiment.batch_size,
        seed=config.seed,
        journal=journal,
    )
    results = score_run(
        experiment.data,
        experiment.network,
        training,
        task=experiment.task,
        with_test=config.score_test != "never",
        seed=config.seed,
        journal=journal,
    )
    journal.finish(results)
    report_run(experiment.data, experiment.network, task=experiment.task, wanted=config.report, journal=journal)
    return results


def assemble(config: DictConfig, dataset: Dataset, journal: Journal) -> Experiment:
    """From raw data to a compiled network: task, split, preprocessing, network.

    Args:
        config: composed and checked.
        dataset: raw.
        journal: told of what was chosen.
    """
    task, target = choose_task(config.task, dataset, journal)
    refuse_ignored(journal.typed, dataset, target)
    dataset, target = draw_rows(config.rows, dataset, target, config.seed, journal)
    split = split_rows(config.split, dataset, target, config.seed, journal)
    weighted = task.get("class_weight") is not None
    check_rows(config.checks, dataset, target, split, weighted=weighted, seed=config.seed, journal=journal)
    data = prepare(
        dataset,
        target,
        split,
        imputation=config.imputation,
        scaling=config.scaling,
        encoding=config.encoding,
        text=config.text,
        scales_target=task.get("target_scaling") == "standard",
        engine=config.trainer.engine,
        memory_budget=config.trainer.memory_budget,
    )
    network = build_network(
        config.model,
        data.preprocessing,
        data.target,
        activation=task.activation,
        initializer=config.initializer,
        regularizer=config.regularizer,
        normalization=config.normalization,
        embedding_dimension=config.encoding.get("dimension"),
    )
    batch_size = compile_for(
        data, network, task=task, optimizer=config.optimizer, schedule=config.schedule, trainer=config.trainer
    )
    return Experiment(task, data, network, batch_size)
