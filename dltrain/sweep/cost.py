"""What a job will cost: its network is built and a few steps of a throwaway copy are timed; nothing is written."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from omegaconf import DictConfig

from dltrain.config.hydra_node import resolving
from dltrain.config.validate import typed
from dltrain.data.load import load_dataset
from dltrain.experiment import assemble
from dltrain.training.engine import Engine

STEPS = 20  # that are timed
BYTES_A_NUMBER = 4
MODELS_A_RUN = 3  # model.keras, best.keras and last.keras
BYTES_A_RUN = 150_000  # architecture of each model, settings, curves
BYTES_AN_EPOCH = 1_500  # history.csv, TensorBoard and the log
BYTES_A_ROW = 100  # of predictions.csv and splits.json


@dataclass(frozen=True)
class Cost:
    """What one job needs.

    Attributes:
        parameters: trainable numbers.
        rows: train rows.
        features: shape of the inputs of the network, by name.
        steps: an epoch.
        epochs: at most.
        seconds: at most, without loading TensorFlow.
        megabytes: on disk.
    """

    parameters: int
    rows: int
    features: str
    steps: int
    epochs: int
    seconds: float
    megabytes: float


class _Silent:
    """Stands in for the journal, which the stages tell what they did."""

    def __init__(self, words: list[str]) -> None:
        self.typed = words

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def cost_of(config: DictConfig) -> Cost:
    """Builds a job up to its training.

    Args:
        config: composed and checked.

    Raises:
        DltrainError: a fault that only the data shows.
    """
    journal: Any = _Silent(typed(config.hydra))
    with resolving(config):
        keras.utils.set_random_seed(config.seed)
        began = time.perf_counter()
        made = assemble(config, load_dataset(config.dataset, journal), journal)
        engine = Engine(
            made.network,
            batch_size=made.batch_size,
            shuffle=False,
            seed=config.seed,
            jit_compile=config.trainer.jit_compile,
        )
        source = made.data.source("train")
        steps = -(-source.rows // made.batch_size)
        timed = min(STEPS, steps)
        block = next(iter(source.blocks(np.arange(min(source.rows, timed * made.batch_size)), made.batch_size)))
        engine.graphs.build(next(iter(source.blocks(np.arange(min(2, source.rows)), made.batch_size))))
        engine.graphs.train(block, 0, timed)  # which traces
        ready = time.perf_counter()
        engine.graphs.train(block, 0, timed)
        a_step = (time.perf_counter() - ready) / timed
        epochs = config.trainer.epochs
        parameters = sum(int(np.prod(weight.shape)) for weight in made.network.trainable_weights)
        numbers = made.network.count_params() + sum(
            int(np.prod(each.shape)) for each in made.network.optimizer.variables
        )
        shapes = {name: out.shape[1:] for name, out in made.data.preprocessing.model.output.items()}
        disk = BYTES_A_RUN + MODELS_A_RUN * numbers * BYTES_A_NUMBER + BYTES_AN_EPOCH * epochs
        return Cost(
            parameters=parameters,
            rows=source.rows,
            features=", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes.items()),
            steps=steps,
            epochs=epochs,
            seconds=round(ready - began + a_step * steps * epochs, 2),
            megabytes=round((disk + BYTES_A_ROW * len(made.data.dataset)) / 1e6, 2),
        )
