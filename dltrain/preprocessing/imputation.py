"""Fills missing numbers with one value for each column, learned from the train rows.

Each function takes the numeric columns of the train rows, shape (n, d) float64 with NaN for a missing cell. A column
without any number gets 0. The columns of a large table come one by one (`columns.TableColumns`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.preprocessing import statistics
from dltrain.preprocessing.columns import Numbers, by_column

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Imputation:
    """The value that fills each column, (d,), and the positions of columns that get a 0/1 column "was missing" too."""

    fill: Matrix
    indicated: npt.NDArray[np.intp]


def _imputation(values: Numbers, fill: Matrix, indicators: bool) -> Imputation:
    missing = by_column(lambda column: np.isnan(column).any(), values)
    return Imputation(np.nan_to_num(fill, nan=0.0), np.flatnonzero(missing & indicators))


def _by_column(values: Numbers, statistic: Callable[[Matrix], Any]) -> Matrix:
    def of_present(column: Matrix) -> float:
        present = column[~np.isnan(column)]
        return float(statistic(present)) if len(present) else np.nan

    return by_column(of_present, values)


def _mode(column: Matrix) -> float:
    unique, counts = np.unique(column, return_counts=True)
    return float(unique[np.argmax(counts)])


def median(values: Numbers, *, indicators: bool) -> Imputation:
    """Fills with the median of each column."""
    return _imputation(values, _by_column(values, statistics.median), indicators)


def mean(values: Numbers, *, indicators: bool) -> Imputation:
    """Fills with the mean of each column."""
    return _imputation(values, _by_column(values, statistics.mean), indicators)


def most_frequent(values: Numbers, *, indicators: bool) -> Imputation:
    """Fills with the most frequent value of each column, the lowest of several."""
    return _imputation(values, _by_column(values, _mode), indicators)


def constant(values: Numbers, *, value: float, indicators: bool) -> Imputation:
    """Fills every column with the same value."""
    return _imputation(values, np.full(values.shape[1], value, dtype=np.float64), indicators)
