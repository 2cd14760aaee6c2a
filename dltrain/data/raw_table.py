"""Holds a table as it is in a file: its cells in Arrow's types, before kinds are chosen for its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from dltrain.base.errors import DataError
from dltrain.data.cells import is_nested, to_arrow
from dltrain.data.missing_cells import Missing


@dataclass(frozen=True)
class RawTable:
    """Columns of one length, with the place that each row came from."""

    origin: str
    columns: Mapping[str, pa.ChunkedArray]  # n cells each, null (or NaN among numbers) for a missing one
    # The line of the file where each row starts, from 1; None for a file without lines
    lines: npt.NDArray[np.int64] | None = None
    # Kind and reason of the columns whose kind the file declares
    declared: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def where(self, row: int | np.integer) -> str:
        """Describes a row by file and line, or by its number from 1 in a file without lines."""
        place = f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"
        return f"{self.origin} {place}"


def check_names(names: Sequence[str], *, origin: str) -> None:
    """Raises DataError if two columns have the same name."""
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if name in seen:
            hint = " If the first line is no header: dataset.header=false." if all_numbers(names) else ""
            raise DataError(
                f"{origin}: two columns are named '{name}' (fields {seen[name]} and {position}); "
                f"rename one of them.{hint}"
            )
        seen[name] = position


def all_numbers(names: Sequence[str]) -> bool:
    """Tells whether every name is a number, which is rare in a header."""
    return bool(pd.to_numeric(pd.Series(list(names), dtype=object), errors="coerce").notna().all())


def from_frame(
    frame: pd.DataFrame, *, origin: str, lines: npt.NDArray[np.int64] | None = None, notes: tuple[str, ...] = ()
) -> RawTable:
    """Makes a table from a pandas frame with columns of any type; its index is ignored.

    `lines` holds the line of each row, shape (n,).

    Raises:
        DataError: If two columns have the same name.
    """
    names = [str(name) for name in frame.columns]
    check_names(names, origin=origin)
    series = (frame.iloc[:, position] for position in range(len(names)))
    return replace(from_columns(zip(names, series, strict=True), origin=origin), lines=lines, notes=notes)


def from_columns(named: Iterable[tuple[str, Any]], *, origin: str) -> RawTable:
    """Makes a table from Arrow's, pandas' or NumPy's columns with unique names, one after the other."""
    columns: dict[str, pa.ChunkedArray] = {}
    declared: dict[str, tuple[str, str]] = {}
    for name, values in named:
        cells = columns[name] = to_arrow(values)
        if is_nested(cells):
            declared[name] = ("ignore", f"holds {str(cells.type).partition('<')[0]} values")
        elif _is_category(values):
            declared[name] = ("category", "declared in the file")
    return RawTable(origin=origin, columns=columns, declared=declared)


def _is_category(values: Any) -> bool:
    kind = getattr(values, "type", getattr(values, "dtype", None))
    return isinstance(kind, pd.CategoricalDtype) or (isinstance(kind, pa.DataType) and pa.types.is_dictionary(kind))


def mark_missing(table: RawTable, words: Iterable[object]) -> RawTable:
    """Returns the table with the usual words for a missing cell, and these in addition, as null."""
    missing = Missing.of(words)
    return replace(table, columns={name: missing.mark(cells) for name, cells in table.columns.items()})
