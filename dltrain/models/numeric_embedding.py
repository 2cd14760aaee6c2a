"""Embeds each number of a table as a vector (Gorishniy et al. 2022)."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def periodic(numbers: Any, dimension: int, frequencies: int, frequency_scale: float) -> Any:
    """Computes cos(2 pi (w x + b)) with learned frequencies, then a dense layer for each column, as in RealMLP.

    `numbers` has shape (batch, columns), the result (batch, columns, dimension). `frequencies` is their number for each
    column, `frequency_scale` the standard deviation of their initial values.
    """
    columns = numbers.shape[1]
    angles = keras.layers.EinsumDense(
        "bc,cf->bcf",
        output_shape=(columns, frequencies),
        bias_axes="cf",
        kernel_initializer=keras.initializers.RandomNormal(stddev=2 * math.pi * frequency_scale),
        bias_initializer=keras.initializers.RandomUniform(-math.pi, math.pi),
        name="frequencies",
    )(numbers)
    return _each_column(keras.ops.cos(angles), dimension, activation=None)


def piecewise_linear(numbers: Any, train: npt.NDArray[np.floating], dimension: int, bins: int) -> Any:
    """Computes the position in each bin between quantiles of `train`, then a dense layer for each column.

    `numbers` has shape (batch, columns), `train` (n, columns), the result (batch, columns, dimension); `bins` is the
    number of bins of each column.
    """
    edges = np.quantile(train.astype(np.float64), np.linspace(0, 1, bins + 1), axis=0).T
    start, width = edges[:, :-1], np.diff(edges, axis=1)
    # A bin without width, at a frequent value, stays empty, because a step has no slope to learn.
    slope = np.where(width > 1e-6, 1 / np.maximum(width, 1e-6), 0.0)
    layer = keras.layers.EinsumDense(
        "bc,cf->bcf", output_shape=(numbers.shape[1], bins), bias_axes="cf", trainable=False, name="bins"
    )
    gone = layer(numbers)
    layer.set_weights([slope, -start * slope])
    return _each_column(keras.ops.clip(gone, 0.0, 1.0), dimension, activation="relu")


def _each_column(values: Any, dimension: int, activation: str | None) -> Any:
    return keras.layers.EinsumDense(
        "bcf,cfd->bcd",
        output_shape=(values.shape[1], dimension),
        bias_axes="cd",
        # Keras would count the columns as inputs too.
        kernel_initializer=keras.initializers.RandomNormal(stddev=values.shape[2] ** -0.5),
        activation=activation,
    )(values)
