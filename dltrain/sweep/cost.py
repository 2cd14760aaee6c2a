"""What a job will cost: its network is built and a few steps of a throwaway copy are timed; nothing is written."""

from __future__ import annotations

import time
from dataclasses import dataclass

import keras
import numpy as np
from omegaconf import DictConfig

from dltrain.base.notes import SilentNotes
from dltrain.config.hydra_node import resolving
from dltrain.config.validate import typed
from dltrain.data.dataset import Dataset
from dltrain.data.split import Rows, Split
from dltrain.engine.engine import Engine
from dltrain.experiment.cross_validation import cut_folds
from dltrain.experiment.experiment import Experiment, assemble_on, check_problem, draw, pose
from dltrain.experiment.stages import load_dataset, split_rows

STEPS = 20  # that are timed
SECONDS_AN_EPOCH = 0.01  # callbacks
# The last scoring, its intervals, the files and the report take less than to get ready so many times.
BESIDE_TRAINING = 2


@dataclass(frozen=True)
class Cost:
    """What one job needs.

    Attributes:
        parameters: trainable numbers.
        rows: train rows, of the training that has most.
        features: shape of the inputs of the network, by name.
        steps: an epoch of that training.
        epochs: at most, of each training.
        trainings: folds and the last one on all their rows, or seeds.
        seconds: at most, without loading TensorFlow.
    """

    parameters: int
    rows: int
    features: str
    steps: int
    epochs: int
    trainings: int
    seconds: float


def cost_of(config: DictConfig) -> Cost:
    """Builds a job up to its training.

    Folds and seeds train side by side, but on the same cores: what they take one after the other is the most.

    Args:
        config: composed and checked.

    Raises:
        DltrainError: a fault that only the data shows.
    """
    with resolving(config):
        keras.utils.set_random_seed(config.seed)
        began = time.perf_counter()
        dataset = load_dataset(config.dataset, SilentNotes())
        loaded = time.perf_counter()
        made, splits = _trainings(config, dataset)
        a_step = _seconds_a_step(config, made)
        ready = time.perf_counter() - loaded
        epochs = config.trainer.epochs
        longest = max(splits, key=lambda split: len(split.train))
        steps = [_steps(split.train, made.batch_size) + _steps(split.validation, made.batch_size) for split in splits]
        an_epoch = sum(steps) * a_step + len(splits) * SECONDS_AN_EPOCH
        shapes = {name: out.shape[1:] for name, out in made.data.preprocessing.model.output.items()}
        return Cost(
            parameters=sum(int(np.prod(weight.shape)) for weight in made.network.trainable_weights),
            rows=len(longest.train),
            features=", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes.items()),
            steps=_steps(longest.train, made.batch_size),
            epochs=epochs,
            trainings=len(splits),
            seconds=round(loaded - began + (len(splits) + BESIDE_TRAINING) * ready + epochs * an_epoch, 2),
        )


def _trainings(config: DictConfig, dataset: Dataset) -> tuple[Experiment, list[Split]]:
    """What is trained on the most rows, and the parts of each training, the last one being that of the run."""
    notes = SilentNotes()
    problem = draw(config, pose(config, dataset, notes, typed(config.hydra)), notes)
    if config.cv is None:
        split = split_rows(config.split, problem.dataset, problem.target, config.seed)
        check_problem(config, problem, split, notes)  # which takes its time in a job too
        return assemble_on(config, problem, split), [split] * config.seeds
    everything, folds = cut_folds(config, problem)
    splits = [fold.split for fold in folds]
    return assemble_on(config, problem, everything), splits if config.cv.ensemble else [*splits, everything]


def _seconds_a_step(config: DictConfig, made: Experiment) -> float:
    engine = Engine(
        made.network,
        batch_size=made.batch_size,
        shuffle=False,
        seed=config.seed,
        jit_compile=config.trainer.jit_compile,
    )
    source = made.data.source("train")
    timed = min(STEPS, _steps(made.data.split.train, made.batch_size))
    block = next(iter(source.blocks(np.arange(min(source.rows, timed * made.batch_size)), made.batch_size)))
    engine.graphs.build(next(iter(source.blocks(np.arange(min(2, source.rows)), made.batch_size))))
    engine.graphs.train(block, 0, timed)  # which traces
    ready = time.perf_counter()
    engine.graphs.train(block, 0, timed)
    return (time.perf_counter() - ready) / timed


def _steps(rows: Rows, batch_size: int) -> int:
    return -(-len(rows) // batch_size)
