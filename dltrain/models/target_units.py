"""Brings scaled answers of a network back into the unit of a bent target, by layers of Keras alone."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from dltrain.data.target_scaling import Knots, hinges_of, unbent


def in_target_units(scaled: Any, knots: Knots) -> Any:
    """Returns the values of scaled answers, both of shape (batch, units); `knots` are those of the target."""
    slope, start, hinges = hinges_of(unbent(knots))
    signs, places, changes = np.transpose(hinges)
    dtype = keras.config.floatx()
    line = keras.layers.Rescaling(slope, start, dtype=dtype, name="target_units")(scaled)
    each = keras.layers.Reshape((scaled.shape[1], 1), dtype=dtype)(scaled)
    fixed = {"kernel_initializer": "zeros", "trainable": False, "dtype": dtype}
    bends = keras.layers.Dense(len(hinges), activation="relu", name="target_bends", **fixed)
    changed = keras.layers.Dense(1, use_bias=False, name="target_changes", **fixed)
    beside = keras.layers.Reshape((scaled.shape[1],), dtype=dtype)(changed(bends(each)))
    bends.set_weights([signs[None], -signs * places])
    changed.set_weights([changes[:, None]])
    return keras.layers.Add(dtype=dtype)([line, beside])
