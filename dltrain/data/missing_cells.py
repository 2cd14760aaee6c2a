"""Marks missing cells: empty ones, the words that stand for one, and the numbers that those words spell."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dltrain.data.cells import is_number, is_text

# The words that pandas reads as a missing cell.
WORDS = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
NAMES = ("None", "NA", "N/A", "n/a", "NULL", "null")  # those of them that may name a class
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class Missing:
    """What stands for a missing cell."""

    words: tuple[str, ...]
    numbers: tuple[float, ...] = ()  # a number is missing however it is spelled
    classes: Collection[str] = ()  # the columns in which words such as None may name a class

    @classmethod
    def of(cls, words: Iterable[object], classes: Collection[str] = ()) -> Missing:
        """Returns the usual words, and these in addition."""
        more = [str(word).strip() for word in words]
        numbers = {number for number in map(_number, more) if number is not None}
        return cls((*WORDS, *more), tuple(sorted(numbers)), classes)

    def mark(self, cells: Any, name: str = "") -> Any:
        """Returns the cells of a column with null for the missing ones, and text without blanks around it."""
        if is_text(cells):
            cells = pc.utf8_trim_whitespace(cells)
            names = {*NAMES} - {*self.words[len(WORDS) :]} if name in self.classes else ()
            absent = pc.is_in(cells, value_set=_values([word for word in self.words if word not in names], cells.type))
            if self.numbers:
                absent = pc.or_(absent, pc.fill_null(self._spelled(cells), False))
        elif self.numbers and is_number(cells):
            absent = pc.is_in(pc.cast(cells, pa.float64(), safe=False), value_set=_values(self.numbers, pa.float64()))
        else:
            return cells
        return pc.if_else(absent, pa.scalar(None, cells.type), cells) if pc.any(absent).as_py() else cells

    def holds(self, word: str) -> bool:
        """Tells whether a word stands for a missing cell of a feature."""
        word = word.strip()
        return word in self.words or (re.match(NUMBER, word) is not None and float(word) in self.numbers)

    def _spelled(self, text: Any) -> Any:
        """Marks text that spells one of the numbers."""
        plain = pc.match_substring_regex(text, NUMBER)
        numbers = pc.cast(pc.if_else(plain, text, pa.scalar(None, text.type)), pa.float64())
        return pc.is_in(numbers, value_set=_values(self.numbers, pa.float64()))


def _values(values: Collection[object], kind: Any) -> Any:
    return pa.array(list(values), kind)


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
