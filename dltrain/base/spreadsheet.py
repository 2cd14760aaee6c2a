"""Keeps spreadsheets from running a cell of data that begins with `=` as a formula."""

from __future__ import annotations

import re

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full-width characters count too
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def neutral(text: str) -> str:
    """Puts an apostrophe before a text that a spreadsheet would take for a formula; numbers stay.

    An apostrophe that is there already is doubled, so that each text is found again without its first one.
    """
    if not text.startswith((*FORMULA, "'")) or NUMBER.fullmatch(text):
        return text
    return f"'{text}"
