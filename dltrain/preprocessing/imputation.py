"""What stands in for a missing number: one value a column, learned from the train rows.

Each function takes the train rows' numeric columns, shape (n, d) float64 with NaN for a missing cell, and gives an
`Imputation`. A column with no number at all in the train rows gets 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dltrain.preprocessing import statistics

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Imputation:
    """Learned from the train rows.

    Attributes:
        fill: the value that stands in for a missing cell, shape (d,).
        indicated: positions of the columns that get a 0/1 column "was missing" beside them.
    """

    fill: Matrix
    indicated: npt.NDArray[np.intp]


def _imputation(values: Matrix, fill: Matrix, indicators: bool) -> Imputation:
    missing = np.isnan(values).any(axis=0)
    return Imputation(np.nan_to_num(fill, nan=0.0), np.flatnonzero(missing & indicators))


def _by_column(values: Matrix, statistic: object) -> Matrix:
    assert callable(statistic)
    present = (column[~np.isnan(column)] for column in values.T)
    return np.array([statistic(column) if len(column) else np.nan for column in present], dtype=np.float64)


def _mode(column: Matrix) -> float:
    unique, counts = np.unique(column, return_counts=True)
    return float(unique[np.argmax(counts)])


def median(values: Matrix, *, indicators: bool) -> Imputation:
    """The middle value of each column."""
    return _imputation(values, _by_column(values, statistics.median), indicators)


def mean(values: Matrix, *, indicators: bool) -> Imputation:
    """The mean of each column."""
    return _imputation(values, _by_column(values, statistics.mean), indicators)


def most_frequent(values: Matrix, *, indicators: bool) -> Imputation:
    """The most frequent value of each column, the least of several."""
    return _imputation(values, _by_column(values, _mode), indicators)


def constant(values: Matrix, *, value: float, indicators: bool) -> Imputation:
    """The same value for every column."""
    return _imputation(values, np.full(values.shape[1], value, dtype=np.float64), indicators)
