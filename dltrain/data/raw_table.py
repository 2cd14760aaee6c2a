"""Holds a table as it is in a file: numbers and words, before kinds are chosen for its columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dltrain.base.errors import DataError
from dltrain.data.dataset import Array


@dataclass(frozen=True)
class RawTable:
    """Columns of one length, with the place that each row came from."""

    origin: str
    columns: Mapping[str, Array]  # n rows each: float64 with NaN, or object of str with None, for a missing cell
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
    return replace(from_series(zip(names, series, strict=True), origin=origin), lines=lines, notes=notes)


def from_series(named: Iterable[tuple[str, pd.Series[Any]]], *, origin: str) -> RawTable:
    """Makes a table from pandas columns with unique names, one after the other."""
    columns: dict[str, Array] = {}
    declared: dict[str, tuple[str, str]] = {}
    for name, series in named:
        columns[name], declaration = _plain(series)
        if declaration is not None:
            declared[name] = declaration
    return RawTable(origin=origin, columns=columns, declared=declared)


def mark_missing(table: RawTable, words: Iterable[str]) -> RawTable:
    """Returns the table with these words, and the numbers that they spell, as missing cells."""
    missing = {str(word) for word in words}
    if not missing:
        return table
    numbers = [number for number in map(_number, missing) if number is not None]
    columns: dict[str, Array] = {}
    for name, values in table.columns.items():
        if values.dtype == np.float64:
            columns[name] = np.where(np.isin(values, numbers), np.nan, values.astype(np.float64))
        else:
            words = values.astype(object)
            words[pd.Series(values).isin(missing)] = None
            columns[name] = words
    return replace(table, columns=columns)


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _plain(series: pd.Series[Any]) -> tuple[Array, tuple[str, str] | None]:
    declaration: tuple[str, str] | None = None
    if isinstance(series.dtype, pd.CategoricalDtype):
        declaration = ("category", "declared in the file")
        series = series.astype(object)
    if pd.api.types.is_bool_dtype(series.dtype):
        return _words(series), declaration
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan), declaration
    if series.dtype != object:
        return _words(series), declaration
    inferred = pd.api.types.infer_dtype(series, skipna=True)
    if inferred in {"integer", "floating", "mixed-integer-float", "decimal"}:
        return series.astype(np.float64).to_numpy(), declaration
    nested = next((cell for cell in series if isinstance(cell, (bytes, list, dict, tuple, np.ndarray))), None)
    if nested is not None:
        declaration = ("ignore", f"holds {type(nested).__name__} values")
    return _words(series), declaration


def _words(series: pd.Series[Any]) -> Array:
    if series.dtype == object:  # 1, True and 1.0 are equal and not the same word
        words = series.map(str).to_numpy(dtype=object)
        words[series.isna().to_numpy()] = None
        return words
    # Each distinct word is stored once: a million cells of yes and no share two words.
    places, distinct = pd.factorize(series)
    words = np.array([*map(str, distinct.astype(object)), None], dtype=object)
    cells: Array = words[places]  # -1, the place of a missing cell, is the last
    return cells
