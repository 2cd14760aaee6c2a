"""Reads the first sheet of an Excel file (.xlsx) with openpyxl, which `pip install 'dltrain-keras[excel]'` brings."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.raw_table import RawTable, check_names, from_columns
from dltrain.data.reading import Reading
from dltrain.data.source_stream import Source, seekable

ERRORS = {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"}


def blocks(source: Source, stream: Any, reading: Reading) -> Iterator[RawTable]:
    """Yields the rows below the first one, which names the columns; formulas give the values that were saved with them.

    Raises:
        ConfigError: If openpyxl is not installed.
        DataError: If it is no Excel file, or has no row.
    """
    try:
        import openpyxl
    except ImportError:
        raise ConfigError(
            f"{source.origin}: Excel files are read with openpyxl: pip install 'dltrain-keras[excel]', or save the "
            "table as CSV."
        ) from None
    with seekable(stream) as file:
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheets = book.sheetnames
            rows = [list(row) for row in book[sheets[0]].iter_rows(values_only=True)]
        except (zipfile.BadZipFile, KeyError, ValueError, OSError, IndexError) as error:
            raise DataError(f"{source.origin} cannot be read as Excel: {error}.") from None
    rows = [[None if cell in ERRORS else cell for cell in row] for row in rows]
    places = [place for place, row in enumerate(rows) if any(cell not in (None, "") for cell in row)]
    if len(places) < 2:
        raise DataError(f"{source.origin}: the sheet '{sheets[0]}' has no rows below a line of names.")
    width = max(len(rows[place]) for place in places)
    table = [rows[place] + [None] * (width - len(rows[place])) for place in places]
    columns = list(zip(*table, strict=True))
    named = [
        (f"column_{place}" if column[0] in (None, "") else str(column[0]).strip(), list(column[1:]))
        for place, column in enumerate(columns, start=1)
        if any(cell not in (None, "") for cell in column)
    ]
    check_names([name for name, _ in named], origin=source.origin)
    others = f"sheet '{sheets[0]}' is read; {len(sheets) - 1} more are not." if len(sheets) > 1 else ""
    yield from_columns(
        ((name, cells) for name, cells in named if reading.wants(name)),
        origin=source.origin,
        lines=np.array([place + 1 for place in places[1:]], dtype=np.int64),
        notes=(others,) if others else (),
    )
