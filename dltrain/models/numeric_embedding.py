"""A vector for each number of a table (Gorishniy et al. 2022)."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def periodic(numbers: Any, dimension: int, frequencies: int, frequency_scale: float) -> Any:
    """cos(2 pi (w x + b)) with learned frequencies, then a layer of its own for each column; as in RealMLP.

    Args:
        numbers: shape (batch, columns).
        dimension: length of a vector.
        frequencies: for each column.
        frequency_scale: standard deviation of the first frequencies.

    Returns:
        Shape (batch, columns, dimension).
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
    """How far a number has gone through each bin between quantiles of the train rows, then a layer for each column.

    Args:
        numbers: shape (batch, columns).
        train: the train rows' numbers, shape (n, columns).
        dimension: length of a vector.
        bins: for each column.

    Returns:
        Shape (batch, columns, dimension).
    """
    edges = np.quantile(train.astype(np.float64), np.linspace(0, 1, bins + 1), axis=0).T
    start, width = edges[:, :-1], np.diff(edges, axis=1)
    # A bin without width, at a value that is met often, stays empty: a step of its own would have no slope to learn.
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
