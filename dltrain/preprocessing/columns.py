"""The numbers of a table a column at a time, so that a large one is not in memory twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dltrain.data.dataset import Dataset

Column = npt.NDArray[np.float64]


class Numbers(Protocol):
    """What statistics are learned from: an array whose last axis are the columns, or columns that come one by one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows first, columns last."""

    def __iter__(self) -> Iterator[Any]:
        """The columns of a table that comes in columns; the rows of an array."""


class TableColumns:
    """Columns of a dataset, float64.

    Args:
        dataset: n rows.
        names: of d columns.
        fill: what stands in for a missing cell of each column, shape (d,); NaN by default.
    """

    def __init__(self, dataset: Dataset, names: Sequence[str], fill: Column | None = None) -> None:
        self.dataset = dataset
        self.names = names
        self.fill = fill
        self.shape = (len(dataset), len(names))

    def __iter__(self) -> Iterator[Column]:
        for place, name in enumerate(self.names):
            cells = self.dataset.columns[name].astype(np.float64, copy=False)
            yield cells if self.fill is None else np.where(np.isnan(cells), self.fill[place], cells)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """All of it at once, shape (n, d)."""
        return np.column_stack(list(self)).astype(dtype or np.float64, copy=False)


def by_column(statistic: Callable[[Column], Any], values: Numbers) -> npt.NDArray[Any]:
    """A statistic of each column, shape (d,) or (d, ...).

    Args:
        statistic: of one column, shape (n,).
        values: an array of shape (..., d), or columns.
    """
    columns = values.reshape(-1, values.shape[-1]).T if isinstance(values, np.ndarray) else values
    return np.array([statistic(column) for column in columns])
