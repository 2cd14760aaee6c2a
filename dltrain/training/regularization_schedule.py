"""Changes dropout and weight decay from epoch to epoch, as RealMLP does (Holzmüller et al. 2024).

Keras holds both as plain numbers, which are constants in a graph. Here they are multiplied by a variable, while the
layers, the optimizer, and what is saved of them, remain those of Keras.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import keras
import tensorflow as tf

from dltrain.base.errors import ConfigError
from dltrain.engine.scheduled_regularization import Scheduled, follow, scheduled
from dltrain.internals.keras_networks import noise_shape


class FlatCosine(keras.callbacks.Callback):
    """Keeps dropout and weight decay for the share `flat` of the epochs, then lowers them to 0 along half a cosine."""

    def __init__(self, epochs: int, *, flat: float, dropout: bool, weight_decay: bool) -> None:
        super().__init__()
        self.epochs, self.flat = epochs, flat
        self.dropout, self.weight_decay = dropout, weight_decay

    def share(self, epoch: int) -> float:
        """Returns the factor on dropout and weight decay in an epoch, counted from 0."""
        done = min(1.0, epoch / self.epochs)
        return 1.0 if done <= self.flat else (1.0 + math.cos(math.pi * (done - self.flat) / (1.0 - self.flat))) / 2

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Called by the engine."""
        found = scheduled(self.model.optimizer)
        if found is not None:
            found.share.assign(self.share(epoch))


def schedule_regularization(network: keras.Model, *, dropout: bool, weight_decay: bool) -> None:
    """Multiplies dropout rates and weight decay of a compiled network by a variable that the callback sets.

    Raises:
        ConfigError: If there is no dropout and no weight decay to change.
    """
    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.Dropout) and layer.rate]
    dropout, weight_decay = dropout and bool(layers), weight_decay and bool(network.optimizer.weight_decay)
    if not dropout and not weight_decay:
        raise ConfigError(
            "regularization_schedule: there is neither dropout nor weight decay to change. Use model.dropout=0.2, "
            "optimizer=adamw, or regularization_schedule=constant."
        )
    found = Scheduled(keras.Variable(1.0, trainable=False, name="share"), dropout, weight_decay)
    follow(network.optimizer, found)
    for layer in layers if dropout else ():
        layer.call = functools.partial(_dropped, layer, found.share)


def _dropped(layer: Any, share: keras.Variable, inputs: Any, training: bool = False) -> Any:
    """Applies dropout to inputs of any shape with the layer's rate times `share`."""
    if not training:
        return inputs
    rate = tf.convert_to_tensor(layer.rate, "float32") * keras.ops.convert_to_tensor(share)
    lengths = keras.ops.shape(inputs)
    own = noise_shape(layer, inputs) or lengths
    drawn = [length if each is None else each for length, each in zip(lengths, own, strict=True)]
    kept = keras.random.uniform(drawn, seed=layer.seed_generator, dtype="float32") >= rate
    return inputs * keras.ops.cast(keras.ops.cast(kept, "float32") / (1.0 - rate), inputs.dtype)
