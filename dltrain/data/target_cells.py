"""Reads the target of a table: numbers as the features have them, and classes as they stand in the file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dltrain.base.errors import DataError
from dltrain.base.shell_words import quoted
from dltrain.config.written import entry, with_text
from dltrain.data import cells
from dltrain.data.column_reading import ColumnReading
from dltrain.data.column_values import numeric_values
from dltrain.data.dataset import Array
from dltrain.data.kinds import RULES, ColumnRules, read_as
from dltrain.data.missing_cells import NAMES, WORDS
from dltrain.data.raw_table import RawTable

LEADING_ZERO = r"^0\d+$"
WHOLE = r"^\d+$"


@dataclass(frozen=True)
class TargetCells:
    """The cells of a target column."""

    values: Array  # (n,): float64 with NaN for a missing one, or object of str with None
    reading: ColumnReading
    note: str = ""  # a sentence for the log on how numbers are written


def read_target(table: RawTable, name: str, kind: str | None = None, rules: ColumnRules = RULES) -> TargetCells:
    """Reads a target column, of all rows, since the split needs it.

    `kind` is numeric or category as the user chose, or None to decide by the cells.

    Raises:
        DataError: If every cell is missing, numeric was chosen and a cell is no finite number, or it is open how
            numbers are written or whether a word such as None is a class.
    """
    column = table.columns[name]
    usual = _usual(column)
    without = pc.if_else(usual, pa.scalar(None, column.type), column) if usual is not None else column
    if not len(column.filter(pa.array(~cells.missing(without)))) and kind != "category":
        raise DataError(f"{table.origin}: the target '{name}' has no value in any row.")
    plain = _with(table, name, without)
    if kind != "category":
        reading, note = read_as(plain, name, "numeric", None, rules)
        if kind == "numeric" or _is_quantity(plain, name, reading, rules):
            return TargetCells(numeric_values(plain, name, reading), reading, note)
    if usual is not None:
        table = _with_names(table, name, usual, plain, kind)
    words = table.columns[name]
    if cells.is_text(words) and kind is None and rules.version == 2:
        _refuse_final_points(table, name, pc.unique(words.drop_null()))
    reading = read_as(table, name, "category")[0]
    # One that only the composed spelling tells apart stays as it is in the file.
    text, one = cells.words(words), reading.words(words)
    same = pc.count_distinct(text).as_py() == pc.count_distinct(one).as_py()
    spelled = text if same and not reading.spelling else one
    return TargetCells(cells.word_array(spelled), reading)


def _with(table: RawTable, name: str, column: Any) -> RawTable:
    return replace(table, columns={**table.columns, name: column})


def _is_quantity(table: RawTable, name: str, reading: ColumnReading, rules: ColumnRules) -> bool:
    column = table.columns[name]
    numbers = reading.number_values(column)
    present = ~cells.missing(column)
    if pa.types.is_boolean(column.type) or np.isnan(numbers[present]).any():
        return False
    # Declared classes stay words, because 1, 2, 3 would look like quantities; 0 and 1 do not.
    if name in table.declared and not set(np.unique(numbers[present])) <= {0.0, 1.0}:
        return False
    if not cells.is_text(column) or rules.version == 1:
        return True
    zeros = pc.any(pc.match_substring_regex(column, LEADING_ZERO)).as_py()
    return not (zeros and pc.all(pc.match_substring_regex(column, WHOLE)).as_py())


def _usual(column: Any) -> Any | None:
    """Marks the cells of text that hold a usual word for a missing cell; None if there is none."""
    if not cells.is_text(column):
        return None
    marked = pc.is_in(column, value_set=pa.array(WORDS, column.type))
    return marked if pc.any(marked).as_py() else None


def _with_names(table: RawTable, name: str, usual: Any, plain: RawTable, kind: str | None) -> RawTable:
    """Returns the table with the usual words for a missing cell that name a class, if the user says that they do."""
    column = table.columns[name]
    words = [word for word in pc.unique(column.filter(usual)).to_pylist() if word in NAMES]
    if kind == "category":
        named = pc.is_in(column, value_set=pa.array(NAMES, column.type))
        return _with(table, name, pc.if_else(named, column, plain.columns[name]))
    if not words:
        return plain
    count = pc.sum(pc.equal(column, words[0])).as_py()
    raise DataError(
        f"The target '{name}' is '{words[0]}' in {count:,} rows, in {table.where(pc.index(column, words[0]).as_py())} "
        f"first. If that is a class: {entry('dataset.kinds', name, 'category')}; if it means that the class is "
        f"missing: {quoted(with_text('dataset.missing_values', json.dumps(words)))}."
    )


def _refuse_final_points(table: RawTable, name: str, words: Any) -> None:
    """Refuses classes that differ by a point at the end alone, as those of two files of the adult data do."""
    with_point = pc.utf8_rtrim(words, ".")
    pairs = pc.and_(pc.not_equal(with_point, words), pc.is_in(with_point, value_set=words))
    if pc.any(pairs).as_py():
        word = pc.filter(words, pairs)[0].as_py()
        raise DataError(
            f"The target '{name}' has the classes '{word.rstrip('.')}' and '{word}', which stands in "
            f"{table.where(pc.index(table.columns[name], word).as_py())} first. Write them alike, or say that they "
            f"are two classes: {entry('dataset.kinds', name, 'category')}."
        )
