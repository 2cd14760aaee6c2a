"""Text from data in a CSV file: a spreadsheet takes a cell that begins with `=` for a formula and runs it."""

from __future__ import annotations

import re

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the wide ones count as well
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def neutral(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would take it for a formula; numbers stay.

    An apostrophe that is there already is doubled, so that `original` gives back every text.
    """
    if not text.startswith((*FORMULA, "'")) or NUMBER.fullmatch(text):
        return text
    return f"'{text}"


def original(cell: str) -> str:
    """The text that `neutral` made this cell of."""
    return cell.removeprefix("'")
