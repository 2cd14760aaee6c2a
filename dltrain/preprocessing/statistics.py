"""Statistics of numbers of any size: NumPy's own add first and divide then, which overflows near the end of float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def mean(rows: Values) -> Values:
    """The mean of each column, within the column's range; shape (n, d) or (n,) to (d,) or ()."""
    small, exponent = _small(rows)
    # Rounding gives a constant column such as 0.1, 0.1, 0.1 a mean beside it.
    found: Values = np.clip(np.ldexp(small.mean(axis=0), exponent), rows.min(axis=0), rows.max(axis=0))
    return found


def deviation(rows: Values) -> Values:
    """The standard deviation of each column, with divisor n; shapes as for `mean`."""
    small, exponent = _small(rows)
    # And a deviation of its own.
    found: Values = np.where(rows.max(axis=0) > rows.min(axis=0), np.ldexp(small.std(axis=0), exponent), 0.0)
    return found


def median(column: Values) -> float:
    """The median of one column, shape (n,)."""
    middle = [(len(column) - 1) // 2, len(column) // 2]
    low, high = np.partition(column, middle)[middle]
    return float(low if low == high else low / 2 + high / 2)


def _small(rows: Values) -> tuple[Values, npt.NDArray[np.intc]]:
    """The rows without the power of two of their largest, which changes no digit, and its exponent."""
    _, exponent = np.frexp(np.abs(rows).max(axis=0))
    return np.ldexp(rows, -exponent), exponent
