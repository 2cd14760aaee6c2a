"""Runs one experiment: dataset, task, split, preprocessing, network, training, scoring, run directory."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
from omegaconf import DictConfig

from dltrain.base.errors import RunError
from dltrain.base.own_code import library_refusals
from dltrain.config.build import build
from dltrain.config.seed import Seed
from dltrain.experiment.cross_validation import cross_validate
from dltrain.experiment.early import EarlyDataset
from dltrain.experiment.experiment import Experiment, Problem, assemble, pose
from dltrain.experiment.journal import Journal
from dltrain.experiment.repetition import repeat_over_seeds
from dltrain.experiment.stages import load_dataset
from dltrain.internals.determinism import fix_randomness, seed_generators
from dltrain.scoring.evaluation import Results

AfterRun = Callable[[Experiment, Journal], None]


def run_job(config: DictConfig, after_run: AfterRun, *, shows: bool = True, early: EarlyDataset | None = None) -> float:
    """Runs the experiment of a checked config in Hydra's output directory, as Hydra's job.

    `after_run` is called when the run is complete, for example to write its report; `shows` is that of the journal;
    `early` is the dataset, if it was read before. Returns the best value of the monitored metric.

    Raises:
        DltrainError: If config, data or training are at fault, or a completed run does not beat its baselines although
            that is required.
    """
    with Journal.open(config, shows=shows, early=early) as journal, library_refusals():
        results = run(config, journal, after_run, early)
    require_what_was_asked(config, results)
    return results.best_value


def require_what_was_asked(config: DictConfig, results: Results) -> None:
    """Raises a RunError if `require_beats_baseline` is set and the completed run does not beat its baselines."""
    if config.require_beats_baseline and not results.difference.beats:
        raise RunError(f"require_beats_baseline: the run completed and {results.difference.sentence()}.")


def run(config: DictConfig, journal: Journal, after_run: AfterRun, early: EarlyDataset | None = None) -> Results:
    """Runs the experiment; nothing below this room gets the whole config."""
    # TensorFlow accepts a distribution strategy only before anything else was created.
    strategy = build(config.strategy, key="strategy") or tf.distribute.get_strategy()
    with strategy.scope():
        fix_randomness(config, Seed.of(config).stream("weights"))
        dataset = load_dataset(config.dataset, journal) if early is None else early.dataset
        problem = pose(config, dataset, journal, journal.typed)
        if config.cv is not None:
            results, final = cross_validate(config, problem, journal)
        elif config.seeds > 1:
            results, final = repeat_over_seeds(config, problem, journal)
        else:
            results, final = train_once(config, problem, journal)
        journal.finish(results)
        after_run(final, journal)
        journal.directory.record_files()
        return results


def train_once(config: DictConfig, problem: Problem, journal: Journal) -> tuple[Results, Experiment]:
    """Trains and scores once, on one split."""
    seed = Seed.of(config)
    seed_generators(seed.stream("weights"), config)
    experiment = assemble(config, problem, journal)
    journal.header(experiment.data, experiment.network, experiment.batch_size)
    training = experiment.train(config, journal, seed=seed, callbacks=config.callbacks)
    return experiment.score(training, config, journal, seed=seed), experiment
