"""Parses ARFF, the table format of Weka and OpenML: declared attributes, then comma-separated rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd
import pyarrow as pa

from dltrain.base.errors import DataError, did_you_mean
from dltrain.data.cells import to_arrow
from dltrain.data.dataset import Array
from dltrain.data.raw_table import RawTable, check_names
from dltrain.data.reading import Reading
from dltrain.data.source_file import decode
from dltrain.data.source_stream import Source

DOUBLE_QUOTED = r'"((?:[^"\\]|\\.)*)"'
SINGLE_QUOTED = r"'((?:[^'\\]|\\.)*)'"
ATTRIBUTE = re.compile(rf"@attribute\s+(?:{DOUBLE_QUOTED}|{SINGLE_QUOTED}|([^\s{{]+))\s*(.*)", re.IGNORECASE)
FIELD = re.compile(rf"\s*(?:{DOUBLE_QUOTED}|{SINGLE_QUOTED}|([^,\"'\s][^,]*|))\s*,")
NUMERIC_TYPES = {"numeric", "real", "integer"}
ESCAPE = re.compile(r"\\(.)")


def blocks(source: Source, stream: Any, reading: Reading) -> Iterator[RawTable]:
    """Yields the whole table at once."""
    content = stream.read()
    text, notes = decode(content, origin=source.origin, encoding=reading.encoding)
    table = parse(text, origin=source.origin)
    columns = {name: cells for name, cells in table.columns.items() if reading.wants(name)}
    yield replace(table, columns=columns, notes=notes)


def parse(text: str, *, origin: str) -> RawTable:
    """Parses ARFF text into a table whose nominal attributes are declared as categories.

    `origin` is the file's name for messages.

    Raises:
        DataError: If a declaration or a row cannot be read; the message names its line.
    """
    nominal: dict[str, list[str] | None] = {}
    numeric: list[bool] = []
    names: list[str] = []
    lines: list[int] = []
    rows: list[list[str | None]] = []
    in_data = False
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith("%"):
            continue
        place = f"{origin} line {number}"
        if in_data:
            rows.append(_row(content, len(names), place))
            lines.append(number)
        elif content.lower().startswith("@data"):
            in_data = True
        elif content.lower().startswith("@attribute"):
            name, is_numeric, values = _attribute(content, place)
            names.append(normalize("NFC", name))
            numeric.append(is_numeric)
            nominal[name] = values
        elif not content.lower().startswith("@relation"):
            raise DataError(f"{place}: expected @relation, @attribute or @data, got '{content[:40]}'.")
    check_names(names, origin=origin)
    if not rows:
        raise DataError(f"{origin} has no rows after {'@data' if in_data else 'its header: @data is missing'}.")
    table = RawTable(
        origin=origin,
        columns={},
        lines=np.asarray(lines, dtype=np.int64),
        declared={name: ("category", "declared in the file") for name, values in nominal.items() if values is not None},
    )
    columns: dict[str, pa.ChunkedArray] = {}
    for name, is_numeric, column in zip(names, numeric, zip(*rows, strict=True), strict=True):
        cells = np.asarray(column, dtype=object)
        columns[name] = to_arrow(_numbers(cells, name, table) if is_numeric else cells)
        _check_nominal(cells, name, nominal[name], table)
    return replace(table, columns=columns)


def _attribute(content: str, place: str) -> tuple[str, bool, list[str] | None]:
    match = ATTRIBUTE.fullmatch(content)
    if match is None:
        raise DataError(f"{place}: an attribute's declaration cannot be read: '{content[:60]}'.")
    name = next(group for group in match.groups()[:3] if group is not None)
    type_name = match[4].strip()
    if type_name.startswith("{") and type_name.endswith("}"):
        return _unescape(name), False, [value or "" for value in _fields(type_name[1:-1], place)]
    word = type_name.split(maxsplit=1)[0].lower() if type_name else ""
    if word in NUMERIC_TYPES:
        return _unescape(name), True, None
    if word in {"string", "date"}:
        return _unescape(name), False, None
    raise DataError(
        f"{place}: attribute '{name}' has the type '{type_name}', expected numeric, real, integer, "
        "string, date or {a, b, …}; save the table as CSV."
    )


def _row(content: str, width: int, place: str) -> list[str | None]:
    if content.startswith("{"):
        raise DataError(f"{place}: sparse ARFF rows are not read; save the table as CSV or as dense ARFF.")
    fields = _fields(content, place)
    if len(fields) != width:
        raise DataError(f"{place}: expected {width} fields, one for each attribute, got {len(fields)}.")
    return fields


def _fields(content: str, place: str) -> list[str | None]:
    """Splits one row into its cells; an unquoted question mark becomes None."""
    if '"' not in content and "'" not in content:
        return [None if field == "?" else field for field in map(str.strip, content.split(","))]
    fields: list[str | None] = []
    position = 0
    while position <= len(content):
        match = FIELD.match(content + ",", position)
        if match is None:
            raise DataError(f"{place}: a quote is not closed, near '{content[position : position + 30]}'.")
        double, single, bare = match.groups()
        if bare is not None:
            fields.append(None if bare.strip() == "?" else bare.strip())
        else:
            fields.append(_unescape(double if double is not None else single))
        position = match.end()
    return fields


def _unescape(text: str) -> str:
    return ESCAPE.sub(r"\1", text) if "\\" in text else text


def _numbers(values: Array, name: str, table: RawTable) -> Array:
    numbers = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype=np.float64)
    bad = np.flatnonzero(np.isnan(numbers) & (values != None) & (values != "NaN"))  # noqa: E711 - elementwise
    if bad.size:
        raise DataError(f"{table.where(bad[0])}: attribute '{name}' is numeric, got '{values[bad[0]]}'.")
    return numbers


def _check_nominal(values: Array, name: str, allowed: list[str] | None, table: RawTable) -> None:
    if allowed is None:
        return
    unknown = set(values.tolist()) - set(allowed) - {None}
    if unknown:
        row = next(row for row, value in enumerate(values) if value in unknown)
        raise DataError(
            f"{table.where(row)}: '{values[row]}' is not a declared value of attribute '{name}'."
            f"{did_you_mean(str(values[row]), allowed)}"
        )
