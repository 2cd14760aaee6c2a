"""Holds a block of rows from any source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd

from dltrain.data.missing_cells import Missing
from dltrain.data.raw_table import RawTable, check_names, from_columns, mark_missing


@dataclass(frozen=True)
class RawRows:
    """A block of consecutive rows."""

    # n cells for each name: Arrow arrays with nulls for missing cells; images are an array (n, height, width,
    # channels), or a list of encoded files
    columns: Mapping[str, Any]
    first: int  # the number of rows before this block
    origin: str  # the file's name for messages
    names: Sequence[str] | None = None  # the names of rows without an id, or None for their numbers from 0
    folder: Path = Path()  # the folder that paths of images are relative to
    lines: npt.NDArray[np.int64] | None = None  # the line of the file where each row starts, if it has lines
    notes: tuple[str, ...] = ()  # sentences on what the reader left out of the whole input

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def where(self, row: int | np.integer) -> str:
        """Describes a row for messages."""
        if self.names is not None:
            return f"{self.names[int(row)]}"
        place = f"row {self.first + row + 1}" if self.lines is None else f"line {self.lines[row]}"
        return f"{self.origin} {place}"


def table_rows(table: RawTable, folder: Path = Path()) -> RawRows:
    """Returns a block of a table as rows; paths of images are relative to `folder`."""
    columns = {name: _whole(cells) for name, cells in table.columns.items()}
    return RawRows(columns, table.first, table.origin, folder=folder, lines=table.lines)


def value_rows(named: Iterable[tuple[str, Any]], missing: Missing, origin: str) -> RawRows:
    """Returns columns of pandas, NumPy or lists as one block; images are arrays, files or their paths."""
    given = dict(named)
    images = {name: _images(cells) for name, cells in given.items() if holds_images(cells)}
    plain = ((name, cells) for name, cells in given.items() if name not in images)
    rows = table_rows(mark_missing(from_columns(plain, origin=origin), missing))
    return replace(rows, columns={name: images.get(name, rows.columns.get(normalize("NFC", name))) for name in given})


def frame_rows(frame: pd.DataFrame, missing: Missing, origin: str = "the data frame") -> RawRows:
    """Converts a data frame to one block; its index is not used."""
    names = [str(name) for name in frame.columns]
    check_names(names, origin=origin)
    return value_rows(((name, frame.iloc[:, place]) for place, name in enumerate(names)), missing, origin)


def holds_images(cells: Any) -> bool:
    """Tells whether cells are arrays, or one array of more than one dimension."""
    if isinstance(cells, np.ndarray) and cells.ndim > 1:
        return True
    return len(cells) > 0 and isinstance(next(iter(cells)), np.ndarray)


def _images(cells: Any) -> Any:
    return cells if isinstance(cells, np.ndarray) and cells.ndim > 1 else list(cells)


def _whole(cells: Any) -> Any:
    return cells.chunk(0) if cells.num_chunks == 1 else cells.combine_chunks()


def sliced(block: RawRows, rows: int) -> Iterator[RawRows]:
    """Yields the same rows in blocks of at most `rows`."""
    for start in range(0, len(block), rows):
        yield RawRows(
            {name: cells[start : start + rows] for name, cells in block.columns.items()},
            block.first + start,
            block.origin,
            None if block.names is None else block.names[start : start + rows],
            block.folder,
            None if block.lines is None else block.lines[start : start + rows],
            notes=block.notes,
        )
