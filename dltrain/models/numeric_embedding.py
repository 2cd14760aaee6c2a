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


def piecewise_linear(numbers: Any, edges: npt.NDArray[np.float64], dimension: int) -> Any:
    """Computes the position in each bin, then a dense layer for each column.

    `numbers` has shape (batch, columns), the result (batch, columns, dimension); `edges` are the ascending ends of the
    bins, (columns, bins + 1).
    """
    start, width = edges[:, :-1], np.diff(edges, axis=1)
    # A bin without width stays empty, because a step has no slope to learn.
    slope = np.where(width > 1e-6, 1 / np.maximum(width, 1e-6), 0.0)
    layer = keras.layers.EinsumDense(
        "bc,cf->bcf", output_shape=slope.shape, bias_axes="cf", trainable=False, name="bins"
    )
    gone = layer(numbers)
    layer.set_weights([slope, -start * slope])
    return _each_column(keras.ops.clip(gone, 0.0, 1.0), dimension, activation="relu")


def smooth_clip(numbers: Any, bound: float) -> Any:
    """Bends numbers of any shape into [-bound, bound]: x / sqrt(1 + (x/bound)^2) (Holzmüller et al. 2024)."""
    share = keras.ops.clip(numbers / bound, -1e15, 1e15)  # whose square float32 holds
    return bound * share / keras.ops.sqrt(1.0 + keras.ops.square(share))


def quantile_edges(train: npt.NDArray[np.floating], bins: int) -> npt.NDArray[np.float64]:
    """Returns edges (columns, bins + 1) at equal steps of rank in `train`, (n, columns); some may be the same."""
    return np.quantile(train.astype(np.float64), np.linspace(0, 1, bins + 1), axis=0).T


def distinct_edges(train: npt.NDArray[np.floating], bins: int) -> npt.NDArray[np.float64]:
    """Returns edges (columns, bins + 1) at different values of `train`, (n, columns), as far as a column has so many.

    They lie at quantiles, for which a frequent value counts as much as one bin and no more: the other bins are left
    for the other values, even if nearly all rows have the same.
    """
    return np.array([_distinct_edges(column.astype(np.float64), bins) for column in train.T])


def _distinct_edges(column: npt.NDArray[np.float64], bins: int) -> npt.NDArray[np.float64]:
    values, counts = np.unique(column, return_counts=True)
    if len(values) > bins + 1:
        share = len(column) / bins
        while (fewer := np.minimum(counts, share).sum() / bins) < share * (1 - 1e-6):
            share = fewer
        ranks = np.cumsum(np.minimum(counts, share))
        places = np.searchsorted(ranks, np.linspace(0, ranks[-1], bins + 1) * (1 - 1e-9))
        values = values[np.unique(places)]
    return np.pad(values, (0, bins + 1 - len(values)), mode="edge")


def _each_column(values: Any, dimension: int, activation: str | None) -> Any:
    return keras.layers.EinsumDense(
        "bcf,cfd->bcd",
        output_shape=(values.shape[1], dimension),
        bias_axes="cd",
        # Keras would count the columns as inputs too.
        kernel_initializer=keras.initializers.RandomNormal(stddev=values.shape[2] ** -0.5),
        activation=activation,
    )(values)
