"""Scaling of numbers, learned from the train rows and applied inside the model.

Each function takes the train rows without missing cells, float64 of shape (n, d), or (n, height, width, d) for
images, and returns a function from a Keras tensor to a Keras tensor of the same shape. A column that is constant in
the train rows is shifted and not stretched. A column too wide for float64 becomes NaN, for its user to refuse. Of a
large table the columns come one by one (`columns.TableColumns`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dltrain.preprocessing.columns import Numbers, by_column
from dltrain.preprocessing.statistics import deviation, mean

Values = npt.NDArray[np.float64]
Scaling = Callable[[Any], Any]

LEAST = np.finfo(np.float64).tiny  # what is below can become 0 on its way through TensorFlow


def _affine(shift: Values, stretch: Values) -> Scaling:
    """(x - shift) / stretch."""
    # Keras' Normalization divides by 1e-7 at least, which is no good for a column of nanometres.
    stretch = _finite(np.where(stretch > LEAST, stretch, 1.0))
    return lambda tensor: keras.ops.divide(keras.ops.subtract(tensor, shift), stretch)


def _finite(statistics: Values) -> Values:
    # Whatever is divided by infinity is 0, which would hide that a range has overflowed.
    return np.where(np.isfinite(statistics), statistics, np.nan)


def _range(values: Numbers) -> tuple[Values, Values]:
    return tuple(by_column(lambda column: (column.min(), column.max()), values).T)


def none(values: Numbers) -> Scaling:
    """Numbers go in as they are."""
    del values
    return lambda tensor: tensor


def minmax(values: Numbers) -> Scaling:
    """To [0, 1]: (x - min) / (max - min)."""
    low, high = _range(values)
    return _affine(low, high - low)


def minmax_symmetric(values: Numbers) -> Scaling:
    """To [-1, 1]: 2 (x - min) / (max - min) - 1, which is (x - middle) / half the range."""
    low, high = _range(values)
    return _affine(low / 2 + high / 2, high / 2 - low / 2)


def standard(values: Numbers) -> Scaling:
    """To mean 0 and standard deviation 1: (x - mean) / sigma, sigma with divisor n."""
    return _affine(by_column(mean, values), by_column(deviation, values))


def robust(values: Numbers) -> Scaling:
    """To median 0 and interquartile range 1; the standard deviation where that range is 0."""
    low, middle, high = by_column(lambda column: np.quantile(column, [0.25, 0.5, 0.75]), values).T
    return _affine(middle, np.where(high > low, high - low, by_column(deviation, values)))


def robust_smooth_clip(values: Numbers, *, bound: float) -> Scaling:
    """As `robust`, then bent so that no value leaves [-bound, bound] (Holzmüller et al. 2024): x / sqrt(1 + (x/b)^2).

    Args:
        values: the train rows.
        bound: in interquartile ranges.
    """
    scaled = robust(values)

    def clipped(tensor: Any) -> Any:
        share = scaled(tensor) / bound
        # Far out the square would overflow, and the share of the bound is 1 there anyway.
        share = keras.ops.clip(share, -1e100, 1e100)
        return bound * share / keras.ops.sqrt(1.0 + keras.ops.square(share))

    return clipped


def quantile(values: Numbers, *, quantiles: int) -> Scaling:
    """To the rank in [0, 1] among the train rows, by straight lines between their quantiles.

    Args:
        values: the train rows.
        quantiles: number of equal steps of rank between the least and the greatest value.
    """
    knots = by_column(lambda column: np.quantile(column, np.linspace(0, 1, quantiles + 1)), values)
    start, width = knots[:, :-1], np.diff(knots, axis=1)
    # A step without width (a value that is met often) is a jump at its place.
    width = _finite(np.maximum(width, LEAST))

    def ranks(tensor: Any) -> Any:
        steps = (keras.ops.expand_dims(tensor, -1) - start) / width
        return keras.ops.mean(keras.ops.clip(steps, 0.0, 1.0), axis=-1)

    return ranks
