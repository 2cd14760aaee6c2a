"""How a column is made from others, as data: so a finished run makes it wherever its model is used.

Needs Python alone: `dltrain export` puts this file beside a model whose format has no words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """A column of words that a pattern finds in another one, or of numbers that are added.

    Attributes:
        columns: what it is made from: one column of words where there is a pattern, else columns of numbers.
        pattern: a regular expression of RE2's syntax, whose one group is the word; None adds numbers.
        words: what becomes of a found word, by its lower case.
        other: what becomes of a found word that `words` does not have; None for the word in capitals.
        plus: what is added to the sum of the numbers.
    """

    columns: tuple[str, ...]
    pattern: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    other: str | None = None
    plus: float = 0.0

    def make(self, cells: Sequence[Sequence[Any]]) -> list[Any]:
        """The column's n cells: words with "" for a missing one, or numbers with NaN.

        Args:
            cells: of each of `columns` its n cells, with None (or NaN, or "") for a missing one.
        """
        if self.pattern is None:
            numbers = [[float("nan") if cell is None else float(cell) for cell in column] for column in cells]
            return [sum(row) + self.plus for row in zip(*numbers, strict=True)]
        find = re.compile(self.pattern).search
        return [self._word(find(cell)) if cell else "" for cell in cells[0]]

    def _word(self, found: re.Match[str] | None) -> str:
        if found is None:
            return ""
        return self.words.get(found[1].lower(), found[1].upper() if self.other is None else self.other)
