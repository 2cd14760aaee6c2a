"""Holds a block of rows from any source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from dltrain.data.raw_table import check_names

ROWS = 16_384


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

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def where(self, row: int | np.integer) -> str:
        """Describes a row for messages."""
        return f"{self.origin} row {self.first + row + 1}" if self.names is None else f"{self.names[int(row)]}"


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


def frame_rows(frame: pd.DataFrame, origin: str = "the data frame") -> RawRows:
    """Converts a data frame to one block; its index is not used."""
    check_names([str(name) for name in frame.columns], origin=origin)
    columns = {str(name): to_arrow(frame.iloc[:, place]) for place, name in enumerate(frame.columns)}
    return RawRows(columns, 0, origin)


def to_arrow(cells: Any) -> Any:
    """Converts cells of any kind to an Arrow array; mixed ones become words."""
    if isinstance(cells, np.ndarray) and cells.ndim > 1:
        return cells
    if len(cells) and isinstance(next(iter(cells)), np.ndarray):  # images in a data frame
        return list(cells)
    try:
        array = pa.array(cells, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        array = pa.array([None if pd.api.types.is_scalar(cell) and pd.isna(cell) else str(cell) for cell in cells])
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def sliced(block: RawRows, rows: int) -> Iterator[RawRows]:
    """Yields the same rows in blocks of at most `rows`."""
    for start in range(0, len(block), rows):
        yield RawRows(
            {name: cells[start : start + rows] for name, cells in block.columns.items()},
            block.first + start,
            block.origin,
            None if block.names is None else block.names[start : start + rows],
            block.folder,
        )
