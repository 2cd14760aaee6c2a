"""Some rows of columns: copied at once where they are few, a column at a time where they would fill the memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

AT_ONCE = 2**26  # bytes

Columns = Mapping[str, npt.NDArray[Any]]


class Taken(Mapping[str, npt.NDArray[Any]]):
    """Columns of which these rows alone are seen; each is copied when it is asked for, and not kept.

    Args:
        columns: by name, all of one length.
        rows: positions, shape (m,).
    """

    def __init__(self, columns: Columns, rows: npt.NDArray[np.integer]) -> None:
        self.columns = columns
        self.rows = rows

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        values: npt.NDArray[Any] = self.columns[name][self.rows]
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


def take(columns: Columns, rows: npt.NDArray[np.integer]) -> Columns:
    """These rows of each column, in this order.

    Args:
        columns: by name, all of one length.
        rows: positions, shape (m,).
    """
    if isinstance(columns, Taken):
        # One choice of rows in place of two: else every block of a large table would copy the whole of it.
        return take(columns.columns, columns.rows[rows])
    row_bytes = sum(values.itemsize * math.prod(values.shape[1:]) for values in columns.values())
    if len(rows) * row_bytes > AT_ONCE:
        return Taken(columns, rows)
    return {name: values[rows] for name, values in columns.items()}


def lengths(columns: Columns) -> dict[str, int]:
    """The number of rows of each column."""
    if isinstance(columns, Taken):
        return dict.fromkeys(columns, len(columns.rows))
    return {name: len(values) for name, values in columns.items()}
