"""Records the validation loss by the batch normalization's running averages beside that by each batch's own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dltrain.base.errors import ConfigError
from dltrain.preprocessing.prepared import Prepared

ROWS = 1_024


class BatchStatistics(keras.callbacks.Callback):
    """Adds `val_loss_by_batches_of_N` to the logs of each epoch, for each N of `sizes` (2 or more).

    It is the loss of at most 1,024 validation rows in batches of N rows, normalized as in training by the mean and the
    variance of their own batch, where `val_loss` goes by the running averages.
    """

    def __init__(self, data: Prepared, network: keras.Model, *, sizes: Sequence[int]) -> None:
        super().__init__()
        if not sizes or min(sizes) < 2:
            raise ConfigError(f"callbacks.batch_statistics.sizes: expected numbers from 2 on, got {list(sizes)}.")
        if not any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers):
            raise ConfigError("callbacks.batch_statistics: the network has no batch normalization. Leave it out.")
        if any(isinstance(layer, keras.layers.Dropout) and layer.rate for layer in network.layers):
            raise ConfigError(
                "callbacks.batch_statistics: as in training, dropout would drop units of the validation rows too. "
                "Set model.dropout=0."
            )
        self.records = tuple(f"val_loss_by_batches_of_{size}" for size in sizes)
        self.sizes = list(sizes)
        self._rows = data.sample("validation", ROWS)
        self._network = network
        self._loss: Any = tf.function(self._loss_of_batch, autograph=False, reduce_retracing=True)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        if logs is None:
            return
        # The pass moves the running averages, as each pass of a training does.
        states = [(state, np.array(state)) for state in self._network.non_trainable_variables]
        for name, size in zip(self.records, self.sizes, strict=True):
            logs[name] = self._mean_loss(size)
        for state, value in states:
            state.assign(value)

    def _mean_loss(self, size: int) -> float:
        targets = self._rows.truth.column
        size = min(size, len(targets))
        starts = range(0, len(targets) - size + 1, size)
        losses = [
            float(
                self._loss(
                    {name: tf.constant(values[start : start + size]) for name, values in self._rows.features.items()},
                    tf.constant(targets[start : start + size]),
                )
            )
            for start in starts
        ]
        return float(np.mean(losses))

    def _loss_of_batch(self, features: dict[str, Any], targets: Any) -> Any:
        answers = self._network(features, training=True)
        return self._network.compute_loss(features, targets, answers, training=False)
