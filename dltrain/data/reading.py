"""Says how a table's file is read, and which cells are numbers, words or missing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dltrain.data.cells import is_text, with_nan
from dltrain.data.missing_cells import Missing
from dltrain.data.number_format import points_are_open


def _none(_: str) -> bool:
    return False


@dataclass(frozen=True)
class Reading:
    """How a file is read; what is None is detected."""

    separator: str | None = None  # a character or its name
    encoding: str | None = None
    header: bool = True  # whether the first line of a text holds the names
    missing: Missing = field(default_factory=lambda: Missing.of(()))
    words: Callable[[str], bool] = _none  # tells the columns of a text whose cells are kept as written ("007" is not 7)
    only: Collection[str] | None = None  # the columns to read; None for all
    quoting: str | None = None  # of fields of a text: double, which None stands for, single or none
    bytes_at_once: int | None = None  # the size of a block; None if the table is wanted as a whole
    likely_separator: str | None = None  # the character that is taken unless another one splits the text more evenly

    def wants(self, name: str) -> bool:
        """Tells whether a column is read."""
        return self.only is None or name in self.only

    def written(self, name: str, cells: Any) -> Any:
        """Returns the cells of a text: floating numbers if all present ones are.

        Words stay if they are asked for, or if each point may stand before thousands.
        """
        if self.words(name):
            return self.missing.mark(cells, name)
        numbers = as_numbers(cells)
        if numbers is None:  # there are blanks around a number, or words for a missing one
            cells = self.missing.mark(cells, name)
            numbers = as_numbers(cells)
        if numbers is None:
            return cells
        if points_are_open(cells):
            return self.missing.mark(cells, name)
        return with_nan(self.missing.mark(numbers, name))


def as_numbers(text: Any) -> Any | None:
    """Converts text to floating numbers, or returns None if a cell that is present is no number."""
    try:
        return pc.cast(text, pa.float64()) if is_text(text) else None
    except pa.ArrowInvalid:
        return None
