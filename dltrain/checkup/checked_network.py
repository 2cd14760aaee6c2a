"""Holds the network of a checkup with some train rows, and resets it to its start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from omegaconf import DictConfig, open_dict

from dltrain.base.notes import SilentNotes
from dltrain.config.seed import Seed
from dltrain.config.validate import keys
from dltrain.data.finding import Finding
from dltrain.data.targets import Target
from dltrain.experiment.experiment import Experiment, assemble_on, check_problem, decide, draw, pose, split_problem
from dltrain.experiment.stages import load_dataset

MOST_ROWS = 2_048


class CheckedNetwork:
    """The untrained, compiled network of a config, with at most 2,048 rows of the train part drawn by `seed`."""

    def __init__(self, experiment: Experiment, seed: int) -> None:
        self.network = experiment.network
        self.task = experiment.task
        self.batch_size = experiment.batch_size
        raw, truth = experiment.data.raw("train"), experiment.data.truth("train")
        rows = np.random.default_rng(seed).permutation(len(raw))[:MOST_ROWS]
        self.numbers = experiment.data.preprocessing.transform(raw.take(rows))
        self.features = {name: tf.constant(values) for name, values in self.numbers.items()}
        self.truth: Target = truth.take(rows)
        self.targets = tf.constant(self.truth.column)
        self.rate = float(np.asarray(self.network.optimizer.learning_rate))
        self.network.optimizer.build(self.network.trainable_variables)
        self._start = [(variable, np.array(variable)) for variable in self._variables()]
        self._steps = tf.function(self._many_steps, autograph=False, reduce_retracing=True)

    def __len__(self) -> int:
        return int(self.targets.shape[0])

    def restore(self) -> None:
        """Resets weights, moving averages, seeds and the optimizer."""
        for variable, value in self._start:
            variable.assign(value)

    def train(self, order: npt.NDArray[np.int64], batch_size: int) -> npt.NDArray[np.float64]:
        """Trains on rows at the positions `order`, a whole number of batches.

        Returns the loss of each step with the penalties, before its update, shape (steps,).
        """
        rows = order.reshape(-1, batch_size)
        # The graph does not see the first dimension, so that one graph serves all sizes.
        losses: npt.NDArray[np.float64] = np.asarray(self._steps(tf.constant(rows)), np.float64)
        return losses

    def _variables(self) -> list[Any]:
        return [*self.network.variables, *self.network.non_trainable_variables, *self.network.optimizer.variables]

    def _many_steps(self, rows: Any) -> Any:
        count = tf.shape(rows)[0]

        def body(step: Any, losses: Any) -> Any:
            return step + 1, losses.write(step, self._one_step(rows[step]))

        losses = tf.TensorArray(tf.float32, count)
        return tf.while_loop(lambda step, _: step < count, body, [tf.constant(0), losses])[1].stack()

    def _one_step(self, rows: Any) -> Any:
        features = {name: tf.gather(values, rows) for name, values in self.features.items()}
        targets = tf.gather(self.targets, rows)
        weights = self.network.trainable_variables
        with tf.GradientTape() as tape:
            answers = self.network(features, training=True)
            loss = self.network.compute_loss(x=features, y=targets, y_pred=answers, training=True)
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        pairs = [(each, weight) for each, weight in zip(gradients, weights, strict=True) if each is not None]
        self.network.optimizer.apply_gradients(pairs)
        return tf.cast(loss, tf.float32)


def prepare_checked_networks(
    config: DictConfig, overrides: list[str]
) -> tuple[Callable[[], CheckedNetwork], list[Finding]]:
    """Returns a function that builds the network of a config, always the same, and the findings of the data checks."""
    with open_dict(config):
        config.pop("hydra", None)
        # The checks begin at the optimizer's own rate and look at the first steps.
        config.schedule = config.regularization_schedule = None
    notes = SilentNotes()
    problem = draw(config, pose(config, load_dataset(config.dataset, notes), notes, keys(overrides)), notes)
    split = split_problem(config, problem)
    problem = decide(problem, split, notes)
    check_problem(config, problem, split, notes)

    def build() -> CheckedNetwork:
        keras.utils.set_random_seed(Seed.of(config).stream("weights"))
        return CheckedNetwork(assemble_on(config, problem, split), Seed.of(config).stream("checkup"))

    return build, notes.findings
