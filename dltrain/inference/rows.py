"""Some rows with the cells of their columns, whatever they came from."""

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
class Block:
    """Some rows in a row.

    Attributes:
        columns: cells by name, n rows each: Arrow arrays with nulls for missing cells; images an array of
            (n, height, width, channels), or a list of files that are decoded when they are needed.
        first: how many rows came before.
        origin: the file's name, for messages.
        names: what the rows are called where they have no id of their own, or None for their numbers from 0.
        folder: where paths of images in the cells begin.
    """

    columns: Mapping[str, Any]
    first: int
    origin: str
    names: Sequence[str] | None = None
    folder: Path = Path()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def where(self, row: int | np.integer) -> str:
        """A row as a person finds it."""
        return f"{self.origin} row {self.first + row + 1}" if self.names is None else f"{self.names[int(row)]}"


def frame_block(frame: pd.DataFrame, origin: str = "the data frame") -> Block:
    """A data frame as one block; its index names the rows."""
    check_names([str(name) for name in frame.columns], origin=origin)
    columns = {str(name): to_arrow(frame.iloc[:, place]) for place, name in enumerate(frame.columns)}
    return Block(columns, 0, origin)


def to_arrow(cells: Any) -> Any:
    """Cells of any kind as an Arrow array; mixed ones become words."""
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


def sliced(block: Block, rows: int) -> Iterator[Block]:
    """The same rows in blocks of at most so many."""
    for start in range(0, len(block), rows):
        yield Block(
            {name: cells[start : start + rows] for name, cells in block.columns.items()},
            block.first + start,
            block.origin,
            None if block.names is None else block.names[start : start + rows],
            block.folder,
        )
