"""Defines a console of rich that prints no control character of the data, and how tables and sentences look on it."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from dltrain.base.plain_table import placed_lines, window
from dltrain.base.printable import printable, printable_line

# Whether more than progress is printed; false while a caller in Python waits for an object.
telling: ContextVar[bool] = ContextVar("telling", default=True)


class PrintableConsole(Console):
    """A console that shows control characters as their escapes; colours and progress bars are its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yields the segments that are printed."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Raises the error, which the command line answers; rich would end the process with 1."""
        raise BrokenPipeError


def standard_output() -> Console:
    """Returns the console of standard output, which is plain and 120 columns wide if it is no terminal."""
    plain = not sys.stdout.isatty() or os.environ.get("CI", "").lower() == "true"
    return PrintableConsole(
        force_terminal=False if plain else None, width=(window() or 120) if plain else None, highlight=False
    )


def show_table(
    console: Console,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[str] = (),
    styles: Mapping[int, str] | None = None,
) -> None:
    """Prints a table that fits the console; `styles` gives that of a row by its number, and the header is bold."""
    names, *cells = ([printable_line(cell) for cell in row] for row in (header, *rows))
    for number, line in placed_lines(names, cells, right, console.width):
        style = "bold" if number < 0 else (styles or {}).get(number, "")
        console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def show_sentence(console: Console, text: str, style: str = "") -> None:
    """Prints a text, broken at words on a terminal and on one line elsewhere."""
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    if console.is_terminal:
        # A path stays whole, to be copied.
        unbroken: Any = {"break_on_hyphens": False, "break_long_words": False}
        text = textwrap.fill(text, max(40, console.width), subsequent_indent=indent, **unbroken)
    console.print(printable(text), style=style, markup=False, highlight=False, soft_wrap=True)
