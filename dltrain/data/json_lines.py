"""Reads JSON lines: an object of column and value on each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from dltrain.base.errors import DataError
from dltrain.data.raw_table import RawTable, check_names, from_columns
from dltrain.data.reading import Reading
from dltrain.data.source_stream import Source

ROWS = 16_384
EXPECTED = "expected an object of column and value"

Row = dict[str, Any]


def blocks(source: Source, stream: Any, reading: Reading) -> Iterator[RawTable]:
    """Yields the rows; the first one names the columns, and each has to have them all.

    Raises:
        DataError: If a line is no object, lacks a column, or holds what 64 bits or UTF-8 cannot; the line is named.
    """
    rows: list[Row] = []
    lines: list[int] = []
    names: list[str] = []
    done = 0
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        row = _row(line, f"{source.origin} line {number}")
        if not names:
            names = list(row)
            check_names(names, origin=source.origin)
        if absent := [name for name in names if name not in row]:
            raise DataError(f"{source.origin} line {number} has no '{absent[0]}'; null stands for a missing value.")
        rows.append(row)
        lines.append(number)
        if len(rows) == ROWS:
            yield _block(rows, lines, names, done, source.origin, reading)
            done += len(rows)
            rows, lines = [], []
    if rows:
        yield _block(rows, lines, names, done, source.origin, reading)
    elif not done:
        raise DataError(f"{source.origin} has no rows.")


def _row(line: bytes, where: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"{where} is not JSON: {error}.") from None
    except RecursionError:
        raise DataError(f"{where} is nested too deeply; {EXPECTED}.") from None
    if not isinstance(row, dict):
        raise DataError(f"{where}: {EXPECTED}, got {line[:40]!r}.")
    for name, cell in row.items():
        if fault := fault_of(cell):
            raise DataError(f"{where}, column '{name}': {fault}.")
    return row


def fault_of(cell: Any) -> str | None:
    """Returns what is wrong with a cell that came as JSON: a number that 64 bits or a text that UTF-8 cannot hold."""
    if isinstance(cell, int) and not -(2**63) <= cell < 2**63:
        return "expected a whole number within 64 bits; a text may have any digits"
    if isinstance(cell, str):
        try:
            cell.encode()
        except UnicodeEncodeError as error:
            return f"holds half a character (\\u{ord(cell[error.start]):04x}); expected whole ones"
    return None


def _block(rows: list[Row], lines: list[int], names: list[str], first: int, origin: str, reading: Reading) -> RawTable:
    columns: dict[str, Any] = {}
    for name in filter(reading.wants, names):
        cells = [row[name] for row in rows]
        nested = [isinstance(cell, (list, dict)) for cell in cells]
        if any(nested):  # single values among them would make words of all; the model takes none of it
            cells = [cell if several else None for cell, several in zip(cells, nested, strict=True)]
            try:
                columns[name] = pa.array(cells)
            except (pa.ArrowException, OverflowError, UnicodeError):
                where = f"{origin} lines {lines[0]} to {lines[-1]}, column '{name}'"
                raise DataError(f"{where}: lists or objects that differ, or with a number beyond 64 bits.") from None
        else:
            columns[name] = cells
    return from_columns(columns.items(), origin=origin, lines=np.array(lines, dtype=np.int64), first=first)
