"""Gives the numbers of a table column by column, so that a large table is not in memory twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dltrain.data.row_view import Columns

Column = npt.NDArray[np.float64]


class Numbers(Protocol):
    """An array whose last axis is the columns, or an object that yields the columns one by one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of rows first and of columns last."""

    def __iter__(self) -> Iterator[Any]:
        """Yields columns if the object holds columns, else the rows of an array."""


class TableColumns:
    """Numeric columns as float64, among others by name; `fill`, shape (columns,), replaces missing cells."""

    def __init__(self, rows: int, columns: Columns, names: Sequence[str], fill: Column | None = None) -> None:
        self.columns = columns
        self.names = names
        self.fill = fill
        self.shape = (rows, len(names))

    def __iter__(self) -> Iterator[Column]:
        for place, name in enumerate(self.names):
            cells = self.columns[name].astype(np.float64, copy=False)
            yield cells if self.fill is None else np.where(np.isnan(cells), self.fill[place], cells)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Returns all columns at once, shape (rows, columns)."""
        return np.column_stack(list(self)).astype(dtype or np.float64, copy=False)


def by_column(statistic: Callable[[Column], Any], values: Numbers) -> npt.NDArray[Any]:
    """Computes a statistic, a function of one column (n,), for each column; shape (columns,) or (columns, ...)."""
    columns = values.reshape(-1, values.shape[-1]).T if isinstance(values, np.ndarray) else values
    return np.array([statistic(column) for column in columns])
