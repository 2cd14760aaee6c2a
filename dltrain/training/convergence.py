"""Stops early when the gradient, the change of the loss or the change of the weights approaches zero."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dltrain.base.errors import ConfigError
from dltrain.engine.distribution import local
from dltrain.preprocessing.prepared import Prepared

ROWS = 2_048
INPUTS = 2**20  # numbers in these rows at most; the layers of an image network make many times as many

logger = logging.getLogger("dltrain")


class Convergence(keras.callbacks.Callback):
    """Ends the training when one of three quantities stayed below its limit for `patience` epochs in succession.

    All three are recorded after each epoch, with or without a limit. Gradient and loss are computed on the same train
    rows each time, in inference mode and with penalties, so that neither dropout nor sampling adds noise. The limits,
    of which one at least is not None, are for the norm of the gradient by all weights, the difference between the
    losses of two epochs, and the norm of an epoch's change of the weights.
    """

    records = ("gradient_norm", "loss_change", "weight_change")

    def __init__(
        self,
        data: Prepared,
        network: keras.Model,
        *,
        gradient_norm: float | None,
        loss_change: float | None,
        weight_change: float | None,
        patience: int,
    ) -> None:
        super().__init__()
        given = dict(zip(self.records, (gradient_norm, loss_change, weight_change), strict=True))
        self.limits = {name: limit for name, limit in given.items() if limit is not None}
        if not self.limits:
            raise ConfigError(f"callbacks.convergence: expected a limit for one of {', '.join(self.records)} at least.")
        self.patience = max(1, patience)
        self._data, self._network = data, network
        self._loss_and_gradient_norm: Any = None
        self._loss = math.nan
        self._weights: list[Any] = []
        self._below: dict[str, int] = {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine.

        Raises:
            ConfigError: If only a head on precomputed features is trained.
        """
        if self.model is not self._network:
            raise ConfigError(
                "callbacks.convergence: the gradient of a head on features that are computed once cannot be computed. "
                "Leave the callback out, or give an augmentation=, with which nothing is computed once."
            )
        self._loss_and_gradient_norm = _graph(self.model, self._data)
        self._loss, self._weights = float(self._loss_and_gradient_norm()[0]), self._trained()
        self._below = dict.fromkeys(self.limits, 0)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        loss, gradient_norm = map(float, self._loss_and_gradient_norm())
        weights = self._trained()
        moved = sum(float(np.sum((now - before) ** 2)) for now, before in zip(weights, self._weights, strict=True))
        found = dict(zip(self.records, (gradient_norm, abs(loss - self._loss), math.sqrt(moved)), strict=True))
        self._loss, self._weights = loss, weights
        if logs is not None:
            logs.update(found)
        for name, limit in self.limits.items():
            self._below[name] = self._below[name] + 1 if found[name] < limit else 0
        reached = next((name for name, count in self._below.items() if count >= self.patience), None)
        if reached:
            self.model.stop_training = True
            logger.info(
                "stopped after epoch %d: %s %.3g is below its limit %g", epoch + 1, reached, found[reached],
                self.limits[reached],
            )  # fmt: skip

    def get_state(self) -> dict[str, Any]:
        """Returns what the next epoch is compared with."""
        return {"loss": self._loss, "weights": self._weights, "below": self._below}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores what `get_state` returned."""
        self._loss, self._weights, self._below = state["loss"], state["weights"], state["below"]

    def _trained(self) -> list[Any]:
        return [np.array(weight) for weight in self.model.trainable_weights]


def _graph(network: keras.Model, data: Prepared) -> Any:
    """Returns a compiled function that computes loss and gradient norm on a fixed sample of train rows."""
    width = max(math.prod(tensor.shape[1:]) for tensor in network.inputs)
    rows = data.sample("train", max(1, min(ROWS, INPUTS // width)))
    features = {name: tf.constant(values) for name, values in rows.features.items()}
    targets = tf.constant(rows.truth.column)

    def loss_and_gradient_norm() -> tuple[Any, Any]:
        weights = [local(weight) for weight in network.trainable_weights]
        with tf.GradientTape() as tape:
            answers = network(features, training=False)
            loss = network.compute_loss(features, targets, answers, training=False)
        found = tape.gradient(loss, weights)
        return loss, tf.linalg.global_norm([gradient for gradient in found if gradient is not None])

    return tf.function(loss_and_gradient_norm, autograph=False)
