"""Formats values and aligned columns of plain text, in milliseconds for thousands of rows."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from dltrain.base.printable import printable_line
from dltrain.base.show import show

GAP = "  "


def window() -> int | None:
    """Returns the columns of the terminal; None if the output is not a terminal and COLUMNS is not set."""
    if "COLUMNS" in os.environ or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return None


def say(text: str) -> None:
    """Prints a sentence, wrapped to the width of the terminal."""
    width = window()
    show(text if width is None else textwrap.fill(text, max(20, width), break_on_hyphens=False))


def cell(value: Any) -> str:
    """Formats a value for people: four digits of a number, nothing for None, no control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-3 <= abs(value) < 1_000 else f"{value:.4g}"
    if isinstance(value, list):
        return "[" + ",".join(map(cell, value)) + "]"
    return printable_line(str(value))


def setting(value: Any) -> str:
    """Formats a setting as it would be typed."""
    if isinstance(value, list):
        return "[" + ",".join(map(setting, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else "null" if value is None else cell(value)


def seconds(value: float | None) -> str:
    """Formats a duration in seconds for people; None gives an empty text."""
    if value is None:
        return ""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> list[str]:
    """Returns the lines of a table: the header, then the rows; columns named in `right` are aligned right."""
    space = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = []
    for row in (header, *rows):
        cells = [
            text.rjust(width) if name in right else text.ljust(width)
            for name, text, width in zip(header, row, space, strict=True)
        ]
        lines.append(GAP.join(cells).rstrip())
    return lines
