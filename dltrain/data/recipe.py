"""Describes as data how a column is made from others, so that a finished run can make it for new rows.

Imports the standard library alone: `dltrain export` copies this file beside a model whose format has no strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Returns what the one group of a pattern matches in each cell, None where the pattern does not match.
Match = Callable[[str, Sequence[str | None]], Sequence[str | None]]


@dataclass(frozen=True)
class Recipe:
    """A column made by matching a pattern in a column of words, or by adding columns of numbers."""

    columns: tuple[str, ...]  # the source columns: one of words if there is a pattern, else numeric ones
    pattern: str | None = None  # a regular expression in RE2's syntax whose one group is the word; None adds numbers
    words: Mapping[str, str] = field(default_factory=dict)  # the replacement for each matched word, by its lower case
    other: str | None = None  # the replacement for words not in `words`; None takes the word in capitals
    plus: float = 0.0  # a constant added to the sum of numbers

    def make(self, cells: Sequence[Sequence[Any]], match: Match | None = None) -> list[Any]:
        """Returns the n cells of the column: words with "" for a missing one, or numbers with NaN.

        `cells` holds n cells for each of `columns`; None, NaN or "" is a missing one. `match` finds the words, with
        Python's own regular expressions if it is None; those can take forever, with a hostile pattern as with a cell of
        a hundred thousand blanks, so that dltrain itself gives `pattern_words.match`.
        """
        if self.pattern is None:
            numbers = [[float("nan") if cell is None else float(cell) for cell in column] for column in cells]
            return [sum(row) + self.plus for row in zip(*numbers, strict=True)]
        return [self._word(word) for word in (match or _match)(self.pattern, cells[0])]

    def _word(self, found: str | None) -> str:
        if found is None:
            return ""
        return self.words.get(found.lower(), found.upper() if self.other is None else self.other)


def _match(pattern: str, cells: Sequence[str | None]) -> list[str | None]:
    find = re.compile(pattern).search
    return [found[1] if cell and (found := find(cell)) else None for cell in cells]
