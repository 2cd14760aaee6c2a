"""Formats values and aligned columns of plain text, in milliseconds for thousands of rows."""

from __future__ import annotations

import math
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, Literal

from dltrain.base.printable import printable_line
from dltrain.base.show import show

GAP = "  "
LARGE, SMALL = 1e9, 1e-3  # numbers from or below these are written as powers of ten


def window() -> int | None:
    """Returns the columns of the terminal; None if the output is not a terminal and COLUMNS is not set."""
    if "COLUMNS" in os.environ or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return None


def say(text: str, indent: int = 0) -> None:
    """Prints a sentence, wrapped to the width of the terminal; lines behind the first begin with `indent` blanks."""
    width = window()
    if width is not None:
        text = textwrap.fill(text, max(20, width), subsequent_indent=" " * indent, break_on_hyphens=False)
    show(text)


def cell(value: Any) -> str:
    """Formats a value for people: four digits of a number, nothing for None, no control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return "[" + ",".join(map(cell, value)) + "]"
    return printable_line(str(value))


def number(value: float | None) -> str:
    """Formats a metric for people: four decimals, from 1,000 on one; None gives an empty text."""
    if value is None:
        return ""
    if math.isnan(value):
        return "undefined"
    size = abs(value)
    if size >= LARGE or 0 < size < SMALL:
        return f"{value:.4g}"
    return f"{value:.4f}" if size < 1_000 else f"{value:,.1f}"


def signed(value: float) -> str:
    """Formats a difference of metrics, with its sign."""
    return f"{'' if value < 0 else '+'}{number(value)}"


def digits(value: float | None, count: int = 3, sign: Literal["", "+"] = "") -> str:
    """Formats a number of a sentence with `count` digits, from 1,000 on as a whole number; None gives an empty text.

    `sign="+"` shows the sign of positive numbers too.
    """
    if value is None:
        return ""
    whole = 999.5 <= abs(value) < LARGE
    return f"{value:{sign},.0f}" if whole else f"{value:{sign}.{count}g}"


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


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = (), width: int | None = None
) -> list[str]:
    """Returns the lines of a table: the header, then the rows; columns named in `right` are aligned right.

    In a table that is wider than `width` the names of columns are broken at words, then the cells of the first column.
    Columns for which there is still no room follow in a table below, after the first column again.
    """
    return [line for _, line in placed_lines(header, rows, right, width)]


def placed_lines(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = (), width: int | None = None
) -> list[tuple[int, str]]:
    """Returns the lines of `table`, each with the number of its row; that of the header is -1."""
    columns = list(zip(header, *rows, strict=True))
    space = [max(map(len, column)) for column in columns]
    if width is not None:
        # What saves most is broken first, and no more than is needed.
        least = [max(_longest_word(name), *map(len, cells), 1) for name, *cells in columns]
        for place in sorted(range(len(space)), key=lambda place: least[place] - space[place]):
            if _width(space) > width:
                space[place] = least[place]
        if _width(space) > width:
            enough = min(width // 3, max(map(_longest_word, columns[0])))
            space[0] = max(enough, space[0] - (_width(space) - width))
    lines: list[tuple[int, str]] = []
    for places in _side_by_side(space, width):
        lines += [(-1, "")] if lines else []
        for number, row in enumerate((header, *rows), start=-1):
            lines += [(number, line) for line in _lines([row[place] for place in places], places, header, space, right)]
    return lines


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _width(space: Sequence[int]) -> int:
    return sum(space) + len(GAP) * (len(space) - 1)


def _side_by_side(space: Sequence[int], width: int | None) -> list[list[int]]:
    """Returns the columns of each of the tables that stand below each other, all of which begin with the first."""
    tables = [[0]]
    for place in range(1, len(space)):
        beside = [*tables[-1], place]
        if width is not None and len(beside) > 2 and _width([space[each] for each in beside]) > width:
            tables.append([0, place])
        else:
            tables[-1] = beside
    return tables


def _lines(
    row: Sequence[str], places: Sequence[int], header: Sequence[str], space: Sequence[int], right: Sequence[str]
) -> list[str]:
    """Returns the lines of one row, whose last one has the cells that are not broken."""
    broken = [
        [text] if len(text) <= space[place] else textwrap.wrap(text, space[place], break_on_hyphens=False)
        for text, place in zip(row, places, strict=True)
    ]
    height = max(map(len, broken))
    lines = []
    for number in range(height):
        cells = []
        for texts, place in zip(broken, places, strict=True):
            text = texts[number - height + len(texts)] if number >= height - len(texts) else ""
            cells.append(text.rjust(space[place]) if header[place] in right else text.ljust(space[place]))
        lines.append(GAP.join(cells).rstrip())
    return lines
