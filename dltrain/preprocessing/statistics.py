"""Computes statistics that do not overflow: NumPy adds before it divides, which fails near the end of float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def mean(rows: Values) -> Values:
    """Returns the mean of each column, within the column's range; shape (n, d) or (n,) to (d,) or ()."""
    small, exponent = _small(rows)
    # Rounding would give a constant column such as 0.1, 0.1, 0.1 a slightly different mean.
    found: Values = np.clip(np.ldexp(small.mean(axis=0), exponent), rows.min(axis=0), rows.max(axis=0))
    return found


def deviation(rows: Values) -> Values:
    """Returns the standard deviation of each column, with divisor n; shapes as for `mean`."""
    small, exponent = _small(rows)
    # Rounding would give a constant column a tiny deviation.
    found: Values = np.where(rows.max(axis=0) > rows.min(axis=0), np.ldexp(small.std(axis=0), exponent), 0.0)
    return found


def median(column: Values) -> float:
    """Returns the median of one column, shape (n,)."""
    middle = [(len(column) - 1) // 2, len(column) // 2]
    low, high = np.partition(column, middle)[middle]
    return float(low if low == high else low / 2 + high / 2)


def _small(rows: Values) -> tuple[Values, npt.NDArray[np.intc]]:
    """Divides the rows by a power of two, which is exact, so that the largest is below 1; returns the exponent too."""
    _, exponent = np.frexp(np.abs(rows).max(axis=0))
    return np.ldexp(rows, -exponent), exponent
