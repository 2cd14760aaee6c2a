"""Brings scaled answers of a network back into the unit of a bent target, by layers of Keras alone."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from dltrain.data.target_scaling import Knots, segments_of, unbent


def in_target_units(scaled: Any, knots: Knots) -> Any:
    """Returns the values of scaled answers, both of shape (batch, units); `knots` are those of the target."""
    starts, widths, rises, first = segments_of(unbent(knots))
    dtype = keras.config.floatx()
    fixed = {"kernel_initializer": "zeros", "trainable": False, "dtype": dtype}
    each = keras.layers.Reshape((scaled.shape[1], 1), dtype=dtype)(scaled)
    shares = keras.layers.Dense(len(starts), name="target_shares", **fixed)
    inside = keras.layers.Dense(1, name="target_inside", **fixed)
    outer = keras.layers.Dense(2, activation="relu", name="target_outer", **fixed)
    beyond = keras.layers.Dense(1, use_bias=False, name="target_beyond", **fixed)
    values = keras.layers.Add(dtype=dtype)(
        [inside(keras.layers.ReLU(1.0, dtype=dtype)(shares(each))), beyond(outer(each))]
    )
    shares.set_weights([1 / widths[None], -starts / widths])
    inside.set_weights([rises[:, None], np.array([first])])
    ends = np.array([starts[0], starts[-1] + widths[-1]])
    steepness = np.array([-1.0, 1.0]) / widths[[0, -1]]
    outer.set_weights([steepness[None], -steepness * ends])
    beyond.set_weights([rises[[0, -1], None] * [[-1], [1]]])
    return keras.layers.Reshape((scaled.shape[1],), dtype=dtype, name="target_units")(values)
