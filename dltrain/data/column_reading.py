"""Says what the cells of a column mean, and converts them: training and predictions go through here alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dltrain.data import cells as arrow_cells
from dltrain.data.number_format import PLAIN, NumberFormat

WHOLE_NUMBER = re.compile(r"([+-]?\d+)(?:\.0*)?")
FRACTION = r"[+-]?\d+(?:\.\d*)?"
TRUTH = "^(?i:true|false)$"


@dataclass(frozen=True)
class ColumnReading:
    """What the train rows say about the cells of a column."""

    numbers: NumberFormat = PLAIN  # how text writes numbers, where the column is one of numbers
    # How words are spelled: truth (True and False), whole (whole numbers without a point), or "" as they are written
    spelling: str = ""
    dates: str = ""  # the format of dates, a key of `dates.FORMATS`

    def number_values(self, cells: Any) -> npt.NDArray[np.float64]:
        """Converts n cells to float64, NaN for a missing cell and for one that is no number, shape (n,)."""
        if arrow_cells.is_text(cells):
            cells = self.numbers.parse(cells)
        elif not (arrow_cells.is_number(cells) or pa.types.is_boolean(cells.type) or pa.types.is_null(cells.type)):
            return np.full(len(cells), np.nan)
        return arrow_cells.numbers(cells)

    def words(self, cells: Any) -> Any:
        """Converts n cells to text, null for a missing one.

        The composed and the decomposed Unicode spelling of a word are one.
        """
        text = composed(arrow_cells.words(cells))
        if not arrow_cells.is_text(cells) or not self.spelling:
            return text
        if self.spelling == "whole":
            # A program that wrote whole numbers beside missing cells wrote "1.0" for 1; "007" stays as it is.
            return pc.replace_substring_regex(text, rf"^(?:{WHOLE_NUMBER.pattern})$", r"\1")
        return pc.if_else(pc.match_substring_regex(text, TRUTH), pc.utf8_capitalize(text), text)

    @classmethod
    def of_json(cls, entry: Mapping[str, Any]) -> ColumnReading:
        """Reads an entry of signature.json."""
        return cls(NumberFormat(**entry["numbers"]), entry["spelling"], entry.get("dates", ""))


def composed(text: Any) -> Any:
    """Returns text in Unicode's composed form (NFC)."""
    return text if pc.all(pc.string_is_ascii(text)).as_py() in (True, None) else pc.utf8_normalize(text, "NFC")


def spelling_of(cells: Any, *, fractions: bool = False) -> str:
    """Returns the spelling that all cells of a column have as words, null among them or not.

    With `fractions`, whole numbers may stand beside others.
    """
    if not arrow_cells.is_text(cells):  # elsewhere the same cells may be text
        return "truth" if pa.types.is_boolean(cells.type) else "whole" if arrow_cells.is_number(cells) else ""
    if pc.all(pc.match_substring_regex(cells, TRUTH)).as_py() in (True, None):
        return "truth"
    pattern = FRACTION if fractions else WHOLE_NUMBER.pattern
    whole = pc.match_substring_regex(cells, rf"^(?:{pattern})$")
    return "whole" if pc.all(whole).as_py() else ""
