"""Selects rows of columns: copies small selections at once, and columns of large ones on access to save memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.data.text_column import TextColumn

AT_ONCE = 2**26  # bytes

Columns = Mapping[str, Any]  # arrays, or texts in a file


class RowView(Mapping[str, npt.NDArray[Any]]):
    """A mapping that shows the rows at some positions, shape (m,); each column is copied on access and not kept."""

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
    """Selects rows of all columns by their positions, shape (m,), in this order."""
    if isinstance(columns, RowView):
        # Composes the two selections; otherwise each batch of rows of a large table would copy the whole table.
        return take(columns.columns, columns.rows[rows])
    row_bytes = sum(values.itemsize * math.prod(values.shape[1:]) for values in columns.values())
    if len(rows) * row_bytes > AT_ONCE:
        return RowView(columns, rows)
    return {
        name: values.view(rows) if isinstance(values, TextColumn) else values[rows] for name, values in columns.items()
    }


def lengths(columns: Columns) -> dict[str, int]:
    """Returns the number of rows of each column."""
    if isinstance(columns, RowView):
        return dict.fromkeys(columns, len(columns.rows))
    return {name: len(values) for name, values in columns.items()}
