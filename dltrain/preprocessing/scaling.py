"""Scales numbers inside the model by statistics of the train rows.

Each function takes the train rows without missing cells, float64 of shape (n, d), or (n, height, width, d) for images,
and returns a function from a Keras tensor to a Keras tensor of the same shape. A column that is constant in the train
rows is shifted and not divided. A range too large for float64 makes NaN, which the caller refuses. The columns of a
large table come one by one (`columns.TableColumns`).
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

LEAST = np.finfo(np.float64).tiny  # TensorFlow may flush smaller numbers to 0


def _affine(shift: Values, stretch: Values) -> Scaling:
    """Computes (x - shift) / stretch."""
    # Keras' Normalization divides by at least 1e-7, which is wrong for a column in nanometres.
    stretch = _finite(np.where(stretch > LEAST, stretch, 1.0))
    return lambda tensor: keras.ops.divide(keras.ops.subtract(tensor, shift), stretch)


def _finite(statistics: Values) -> Values:
    # Division by infinity would give 0 and hide that a range has overflowed.
    return np.where(np.isfinite(statistics), statistics, np.nan)


def _range(values: Numbers) -> tuple[Values, Values]:
    return tuple(by_column(lambda column: (column.min(), column.max()), values).T)


def none(values: Numbers) -> Scaling:
    """Leaves numbers as they are."""
    return lambda tensor: tensor


def minmax(values: Numbers) -> Scaling:
    """Scales to [0, 1]: (x - min) / (max - min)."""
    low, high = _range(values)
    return _affine(low, high - low)


def minmax_symmetric(values: Numbers) -> Scaling:
    """Scales to [-1, 1]: 2 (x - min) / (max - min) - 1, computed as (x - middle) / half the range."""
    low, high = _range(values)
    return _affine(low / 2 + high / 2, high / 2 - low / 2)


def standard(values: Numbers) -> Scaling:
    """Scales to mean 0 and standard deviation 1: (x - mean) / sigma, sigma with divisor n."""
    return _affine(by_column(mean, values), by_column(deviation, values))


def robust(values: Numbers) -> Scaling:
    """Scales to median 0 and interquartile range 1, or to standard deviation 1 if that range is 0."""
    low, middle, high = by_column(lambda column: np.quantile(column, [0.25, 0.5, 0.75]), values).T
    return _affine(middle, np.where(high > low, high - low, by_column(deviation, values)))


def robust_smooth_clip(values: Numbers, *, bound: float) -> Scaling:
    """Scales as `robust`, then squashes into [-bound, bound]: x / sqrt(1 + (x/bound)^2) (Holzmüller et al. 2024)."""
    scaled = robust(values)

    def clipped(tensor: Any) -> Any:
        share = scaled(tensor) / bound
        # Clipped because the square would overflow far out, where the result equals the bound anyway.
        share = keras.ops.clip(share, -1e100, 1e100)
        return bound * share / keras.ops.sqrt(1.0 + keras.ops.square(share))

    return clipped


def quantile(values: Numbers, *, quantiles: int) -> Scaling:
    """Maps to the rank in [0, 1] among the train rows, linearly between `quantiles` equal steps of rank."""
    knots = by_column(lambda column: np.quantile(column, np.linspace(0, 1, quantiles + 1)), values)
    start, width = knots[:, :-1], np.diff(knots, axis=1)
    # A frequent value makes a step without width, which is a jump in rank.
    width = _finite(np.maximum(width, LEAST))

    def ranks(tensor: Any) -> Any:
        steps = (keras.ops.expand_dims(tensor, -1) - start) / width
        return keras.ops.mean(keras.ops.clip(steps, 0.0, 1.0), axis=-1)

    return ranks
