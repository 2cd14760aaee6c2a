"""Holds a table as it is in a file: its cells in Arrow's types, before kinds are chosen for its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from dltrain.base.errors import DataError
from dltrain.data.cells import is_nested, is_number, is_text, to_arrow, with_nan, words
from dltrain.data.missing_cells import Missing
from dltrain.data.number_format import FIRST_CELLS, with_decimal_comma
from dltrain.data.text_column import TextSpool, abridged, in_file


@dataclass(frozen=True)
class RawTable:
    """Columns of one length, with the place that each row came from; a whole table, or consecutive rows of one."""

    origin: str
    columns: Mapping[str, pa.ChunkedArray]  # n cells each, null (or NaN among numbers) for a missing one
    # The line of the file where each row starts, from 1; None for a file without lines
    lines: npt.NDArray[np.int64] | None = None
    # Kind and reason of the columns whose kind the file declares
    declared: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    first: int = 0  # the number of rows before these
    separator: str | None = None  # the character between the fields of a text; None for another file
    _abridged: dict[str, tuple[Any, Any]] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    @cached_property
    def has_decimal_commas(self) -> bool:
        """Whether the numbers of some column are written with a decimal comma, by its first cells."""
        return any(
            is_text(cells) and with_decimal_comma(cells[:FIRST_CELLS].unique()) for cells in self.columns.values()
        )

    def abridged(self, name: str) -> RawTable:
        """Returns the table with a column whose cells lie in the memory: of long texts in a file, first words and hash.

        They are enough to tell what the column holds.
        """
        if not in_file(self.columns[name]):
            return self
        if name not in self._abridged or self._abridged[name][0] is not self.columns[name]:
            self._abridged[name] = self.columns[name], abridged(self.columns[name])
        return replace(self, columns={**self.columns, name: self._abridged[name][1]})

    def where(self, row: int | np.integer) -> str:
        """Describes a row by file and line, or by its number from 1 in a file without lines."""
        place = f"row {self.first + row + 1}" if self.lines is None else f"line {self.lines[row]}"
        return f"{self.origin} {place}"


def check_names(names: Sequence[str], *, origin: str) -> None:
    """Raises DataError if two columns have the same name."""
    seen: dict[str, int] = {}
    for position, given in enumerate(names, start=1):
        name = normalize("NFC", given)  # both Unicode spellings of a name are one
        if name in seen:
            hint = " If the first line is not a header: dataset.header=false." if all_numbers(names) else ""
            raise DataError(
                f"{origin}: two columns are named '{name}' (fields {seen[name]} and {position}); "
                f"rename one of them.{hint}"
            )
        seen[name] = position


def all_numbers(names: Sequence[str]) -> bool:
    """Tells whether every name is a number, which is rare in a header."""
    return bool(pd.to_numeric(pd.Series(list(names), dtype=object), errors="coerce").notna().all())


def from_frame(frame: pd.DataFrame, *, origin: str) -> RawTable:
    """Makes a table from a pandas frame with columns of any type; its index is ignored.

    Raises:
        DataError: If two columns have the same name.
    """
    names = [str(name) for name in frame.columns]
    check_names(names, origin=origin)
    series = (frame.iloc[:, position] for position in range(len(names)))
    return from_columns(zip(names, series, strict=True), origin=origin)


def from_columns(named: Iterable[tuple[str, Any]], *, origin: str, **more: Any) -> RawTable:
    """Makes a table from columns of Arrow, pandas, NumPy or lists, with unique names, one after the other.

    Names get Unicode's composed form. `more` may give lines, notes and first.
    """
    columns: dict[str, pa.ChunkedArray] = {}
    declared: dict[str, tuple[str, str]] = {}
    for given, values in named:
        name = normalize("NFC", given)
        cells = columns[name] = to_arrow(values)
        if is_nested(cells):
            declared[name] = ("ignore", f"holds {str(cells.type).partition('<')[0]} values")
        elif _is_category(values):
            declared[name] = ("category", "declared in the file")
    return RawTable(origin=origin, columns=columns, declared=declared, **more)


def _is_category(values: Any) -> bool:
    kind = getattr(values, "type", getattr(values, "dtype", None))
    return isinstance(kind, pd.CategoricalDtype) or (isinstance(kind, pa.DataType) and pa.types.is_dictionary(kind))


def join(blocks: Iterable[RawTable]) -> RawTable:
    """Joins blocks of one table; a column that has numbers in one block and words in another becomes words."""
    parts = _Parts()
    for block in blocks:
        parts.add(block)
        del block  # the chunks of a column are let go once it is whole, so that the table is never in memory twice
    return RawTable(
        parts.origin,
        {name: _joined(parts.cells.pop(name).chunks()) for name in list(parts.cells)},
        np.concatenate(parts.lines) if parts.lines else None,
        parts.declared,
        tuple(dict.fromkeys(parts.notes)),
        separator=parts.separator,
    )


class _Parts:
    """The cells of each column, and what else blocks say."""

    def __init__(self) -> None:
        self.origin = ""
        self.separator: str | None = None
        self.cells: dict[str, TextSpool] = {}
        self.lines: list[npt.NDArray[np.int64]] = []
        self.declared: dict[str, tuple[str, str]] = {}
        self.notes: list[str] = []

    def add(self, block: RawTable) -> None:
        self.origin, self.separator = block.origin, block.separator
        for name, cells in block.columns.items():
            spool = self.cells.setdefault(name, TextSpool())
            for chunk in cells.chunks:
                spool.append(chunk)
        if block.lines is not None:
            self.lines.append(block.lines)
        self.declared |= block.declared
        self.notes += block.notes


def _joined(chunks: list[Any]) -> pa.ChunkedArray:
    kinds = {chunk.type: chunk for chunk in chunks if chunk.null_count < len(chunk)}
    if len(kinds) > 1 and not all(map(is_number, kinds.values())):
        return pa.chunked_array([part for chunk in chunks for part in to_arrow(words(chunk)).chunks], pa.string())
    kind = pa.float64() if len(kinds) > 1 else next(iter(kinds), chunks[0].type if chunks else pa.null())
    same = [chunk if chunk.type == kind else chunk.cast(kind, safe=False) for chunk in chunks]
    whole = pa.chunked_array(same, kind)
    # NumPy takes a single chunk without a copy. Text stays in chunks, of which each holds at most two gigabytes.
    return pa.chunked_array([whole.combine_chunks()]) if is_number(whole) else whole


def mark_missing(table: RawTable, missing: Missing) -> RawTable:
    """Returns the table with null (NaN among floating numbers) for what is missing, and text without blanks around."""
    return replace(table, columns={name: with_nan(missing.mark(cells, name)) for name, cells in table.columns.items()})
