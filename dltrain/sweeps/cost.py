"""Estimates the cost of a job: builds its network and times a few steps, without writing anything."""

from __future__ import annotations

import time
from dataclasses import dataclass

import keras
import numpy as np
from omegaconf import DictConfig

from dltrain.base.notes import SilentNotes
from dltrain.config.hydra_node import resolving
from dltrain.config.seed import Seed
from dltrain.config.validate import typed
from dltrain.data.dataset import Dataset
from dltrain.data.split import Rows, Split
from dltrain.engine.engine import Engine
from dltrain.experiment.cross_validation import cut_folds
from dltrain.experiment.experiment import Experiment, assemble_on, check_problem, decide, draw, pose, split_problem
from dltrain.experiment.header import trainable
from dltrain.experiment.stages import load_dataset

TIMED_STEPS = 20  # the number of timed steps
SECONDS_AN_EPOCH = 0.01  # for callbacks
# The time for the last scoring, its intervals, the files and the report, in multiples of the time to build the job.
OVERHEAD = 2


@dataclass(frozen=True)
class Cost:
    """What one job needs."""

    parameters: int  # the number of trainable parameters
    rows: int  # the most rows of the train part over all trainings
    features: str  # the shapes of the network's inputs, by name
    steps: int  # the steps of an epoch of the training with the most rows
    epochs: int  # the most epochs of each training
    trainings: int  # the number of seeds, or of folds and the training on all their rows
    seconds_an_epoch: float  # of all trainings, one after the other
    seconds: float  # the most seconds in all, without loading TensorFlow


def cost_of(config: DictConfig) -> Cost:
    """Builds a job up to its training and times some steps.

    Folds and seeds share the cores, so that they take at most as long as one after the other.
    """
    with resolving(config):
        keras.utils.set_random_seed(Seed.of(config).stream("weights"))
        began = time.perf_counter()
        dataset = load_dataset(config.dataset, SilentNotes())
        loaded = time.perf_counter()
        experiment, splits = _trainings(config, dataset)
        a_step = _seconds_a_step(config, experiment)
        ready = time.perf_counter() - loaded
        epochs, size = config.trainer.epochs, experiment.batch_size
        longest = max(splits, key=lambda split: len(split.train))
        steps = [_steps(split.train, size) + _steps(split.validation, size) for split in splits]
        an_epoch = sum(steps) * a_step + len(splits) * SECONDS_AN_EPOCH
        shapes = {name: out.shape[1:] for name, out in experiment.data.preprocessing.model.output.items()}
        return Cost(
            parameters=trainable(experiment.network),
            rows=len(longest.train),
            features=", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes.items()),
            steps=_steps(longest.train, size),
            epochs=epochs,
            trainings=len(splits),
            seconds_an_epoch=an_epoch,
            seconds=round(loaded - began + (len(splits) + OVERHEAD) * ready + epochs * an_epoch, 2),
        )


def _trainings(config: DictConfig, dataset: Dataset) -> tuple[Experiment, list[Split]]:
    """Returns the experiment with the most rows, and the split of each training, the run's own last."""
    notes = SilentNotes()
    problem = draw(config, pose(config, dataset, notes, typed(config.hydra)), notes)
    if config.cv is None:
        split = split_problem(config, problem)
        problem = decide(problem, split, notes)
        check_problem(config, problem, split, notes)  # part of the time that a job takes
        return assemble_on(config, problem, split), [split] * config.seeds
    everything, folds = cut_folds(config, problem)
    splits = [fold.split for fold in folds]
    return assemble_on(config, problem, everything), splits if config.cv.ensemble else [*splits, everything]


def _seconds_a_step(config: DictConfig, experiment: Experiment) -> float:
    size, jit_compile = experiment.batch_size, config.trainer.jit_compile
    engine = Engine(experiment.network, batch_size=size, shuffle=False, seed=0, jit_compile=jit_compile)
    source = experiment.data.source("train")
    timed = min(TIMED_STEPS, _steps(experiment.data.split.train, size))
    block = next(iter(source.blocks(np.arange(min(source.rows, timed * size)), size)))
    engine.graphs.build(next(iter(source.blocks(np.arange(min(2, source.rows)), size))))
    engine.graphs.train(block, 0, timed)  # traces, so that it is not timed
    ready = time.perf_counter()
    engine.graphs.train(block, 0, timed)
    return (time.perf_counter() - ready) / timed


def _steps(rows: Rows, batch_size: int) -> int:
    return -(-len(rows) // batch_size)
