"""Refuses the few words in a column of numbers or dates, and says what they may mean."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dltrain.base.errors import DataError
from dltrain.base.shell_words import quoted
from dltrain.config.written import entry, with_text
from dltrain.data import cells
from dltrain.data.column_reading import ColumnReading
from dltrain.data.dates import FORMATS, other_cells
from dltrain.data.number_format import NumberFormat, are_numbers, fitting
from dltrain.data.raw_table import RawTable

MOSTLY = 0.9  # the share of numbers or of dates among different words from which the others are taken for faults
SAMPLE = 1_000  # different words that tell whether most are dates


def refuse_words_among_numbers(table: RawTable, name: str, distinct: Any, few: int, *, plain: bool) -> None:
    """Raises DataError if most of more than `few` different words are numbers, if `plain` as a program writes them."""
    numbers = NumberFormat().matches(distinct) if plain else are_numbers(distinct)
    if len(distinct) <= few or pc.mean(numbers).as_py() < MOSTLY:
        return
    word = pc.filter(distinct, pc.invert(numbers))[0].as_py()
    where = table.where(pc.index(table.columns[name], word).as_py())
    raise DataError(f"Column '{name}' holds numbers, and a word in {where}: '{word}'. {what_it_means(name, word)}")


def refuse_words_among_dates(table: RawTable, name: str, distinct: Any, few: int) -> None:
    """Raises DataError if most of more than `few` different words are dates of one format."""
    others = min((other_cells(distinct[:SAMPLE], each) for each in FORMATS), key=len)
    if len(distinct) > few and len(others) and len(others) <= (1 - MOSTLY) * min(len(distinct), SAMPLE):
        word = distinct[int(others[0])].as_py()
        where = table.where(pc.index(cells.words(table.columns[name]), word).as_py())
        raise DataError(f"Column '{name}' holds dates, and a word in {where}: '{word}'. {what_it_means(name, word)}")


def as_number(name: str, word: str, reading: ColumnReading) -> str:
    """Says by which decimal mark a word is a number, if it is one."""
    marks = {each.decimal for each in fitting(pa.array([word]))} - {reading.numbers.decimal}
    return f"If that is a number: {entry('dataset.decimal', name, marks.pop())}. " if marks else ""


def what_it_means(name: str, word: str) -> str:
    """Returns what to type if a word stands for a missing value, and if it does not."""
    missing = quoted(with_text("dataset.missing_values", json.dumps([word], ensure_ascii=False)))
    return (
        f"If that means a missing value: {missing}; otherwise name the kind: "
        f"{entry('dataset.kinds', name, 'category')} (or text, or ignore)."
    )
