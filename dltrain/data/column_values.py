"""Converts the cells of a column to the values of a feature: numbers, dates as written, words."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dltrain.base.errors import DataError
from dltrain.data import cells
from dltrain.data.column_reading import ColumnReading
from dltrain.data.dataset import Array
from dltrain.data.dates import EXAMPLES, other_cells
from dltrain.data.kinds import PLAIN, read_as
from dltrain.data.raw_table import RawTable
from dltrain.data.stray_words import as_number, what_it_means
from dltrain.data.text_column import TextColumn, changed, in_file


def numeric_values(table: RawTable, name: str, reading: ColumnReading = PLAIN) -> npt.NDArray[np.float64]:
    """Converts a column to float64 of shape (n,), with NaN for a missing cell.

    Raises:
        DataError: If a cell holds a word or an infinite number; the message names it.
    """
    column = table.columns[name]
    numbers = reading.number_values(column)
    bad = np.flatnonzero(np.isnan(numbers) & ~cells.missing(column))
    if bad.size:
        word = cells.words(column[bad[0] : bad[0] + 1])[0].as_py()
        expected = "" if reading.numbers.plain else f" {reading.numbers.described()}"
        raise DataError(
            f"Column '{name}': expected a number{expected}, {table.where(bad[0])} holds '{word}'. "
            f"{as_number(name, word, reading)}{what_it_means(name, word)}"
        )
    infinite = np.flatnonzero(np.isinf(numbers))
    if infinite.size:
        raise DataError(
            f"Column '{name}' has an infinite value in {table.where(infinite[0])}; expected finite numbers "
            "(an empty cell where the value is unknown)."
        )
    return numbers


def date_values(table: RawTable, name: str, named: str) -> Array:
    """Returns a column as dates in the words of the file, "" for a missing one: an object array of str, shape (n,).

    Raises:
        DataError: If a cell has another format than the named one.
    """
    text = cells.words(table.columns[name])
    other = other_cells(text, named)
    if len(other):
        word = text[int(other[0])].as_py()
        raise DataError(
            f"Column '{name}': expected a date such as {EXAMPLES[named]}, {table.where(other[0])} holds '{word}'. "
            f"{what_it_means(name, word)}"
        )
    words: Array = cells.word_array(text.fill_null(""))
    return words


def word_values(table: RawTable, name: str, reading: ColumnReading | None = None) -> Array:
    """Converts a column to words: an object array of str with None for a missing cell, shape (n,).

    `reading` is that of all rows if it is None.
    """
    words: Array = cells.word_array(_spelled(table, name, reading))
    return words


def _spelled(table: RawTable, name: str, reading: ColumnReading | None) -> Any:
    reading = read_as(table, name, "category")[0] if reading is None else reading
    return reading.words(table.columns[name])


def feature_values(table: RawTable, name: str, kind: str, reading: ColumnReading | None = None) -> Array:
    """Converts a column to the values of a feature of this kind, shape (n,).

    Numeric gives float64 with NaN for a missing cell, any other kind an object array of str with ""; an image is given
    by its path, a date in the words of the file. `reading` is plain numbers, or that of the words of all rows, if it is
    None.
    """
    if kind == "numeric":
        return numeric_values(table, name, reading or PLAIN)
    if kind == "date" and reading is not None:
        return date_values(table, name, reading.dates)
    if kind == "text" and in_file(table.columns[name]):
        spelling = read_as(table, name, "category")[0] if reading is None else reading
        texts = changed(table.columns[name], spelling.words)
        return cast("Array", TextColumn(texts.chunk(0))) if in_file(texts) else cells.word_array(texts.fill_null(""))
    words: Array = cells.word_array(_spelled(table, name, reading).fill_null(""))
    return words
