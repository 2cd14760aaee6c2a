"""Predicts with Monte-Carlo dropout: averages passes that drop different units (Gal & Ghahramani 2016).

The dropped units of each pass are drawn once and are the same for every row, so that a row has one prediction, here and
wherever model.keras is loaded. They are fixed weights of Keras' own layers.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from dltrain.base.errors import ConfigError
from dltrain.models.gaussian import mixture
from dltrain.models.members import for_prediction


def with_passes(network: keras.Model, passes: int, seed: int) -> keras.Model:
    """Returns the trained network with the mixture of at least 2 passes as prediction (batch, 2).

    `seed` draws the units that are dropped.

    Raises:
        ConfigError: If the network has no dropout, or one that does not drop single units.
    """
    plain = for_prediction(network)
    dropping = [layer for layer in plain.layers if "Dropout" in type(layer).__name__ and layer.rate]
    if not dropping:
        raise ConfigError("task.monte_carlo_dropout: this network drops no units. Use a model with model.dropout=0.2.")
    if any(type(layer) is not keras.layers.Dropout or layer.noise_shape for layer in dropping):
        raise ConfigError(
            "task.monte_carlo_dropout: this network drops words or whole maps, not units. Use model=mlp or tabular."
        )
    generator = np.random.default_rng(seed)

    def called(layer: Any, *tensors: Any, **keywords: Any) -> Any:
        if layer in dropping:
            return _dropped(tensors[0], layer.rate, passes, generator)
        return layer(*tensors, **keywords)

    inputs = {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name) for name, tensor in plain.input.items()
    }
    thinned = keras.models.clone_model(plain, clone_function=lambda layer: layer, call_function=called)
    # Rebuilt without the clone's compiled loss, which Keras alone could not load.
    thinned = keras.Model(thinned.input, thinned.output)
    answers = thinned({name: keras.ops.repeat(tensor, passes, axis=0) for name, tensor in inputs.items()})
    by_pass = keras.ops.reshape(answers, (-1, passes, 2))
    return keras.Model(inputs, mixture([by_pass[:, each] for each in range(passes)]), name="network")


def _dropped(hidden: Any, rate: float, passes: int, generator: np.random.Generator) -> Any:
    """Multiplies units by 0 or 1 / (1 - rate), drawn anew for each pass; rows come `passes` times in succession."""
    shape = tuple(hidden.shape[1:])
    width = passes * math.prod(shape)
    kept = (generator.random(width) >= rate) / (1 - rate)
    layer = keras.layers.DepthwiseConv1D(1, use_bias=False, trainable=False)
    found = layer(keras.ops.reshape(hidden, (-1, 1, width)))
    layer.set_weights([kept.astype(np.float32).reshape(1, width, 1)])
    return keras.ops.reshape(found, (-1, *shape))
