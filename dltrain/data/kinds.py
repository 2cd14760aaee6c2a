"""Infers the kind of a column from its cells (numeric, category, text, image) and converts its values to that kind.

Few different words make a category, sentences a text, names of image files an image; identifiers, dates and constants
are ignored.
"""

from __future__ import annotations

import re
import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from dltrain.base.errors import DataError
from dltrain.base.shell_words import quoted
from dltrain.data import cells
from dltrain.data.dataset import Array
from dltrain.data.image_file import SUFFIXES as IMAGE_SUFFIXES
from dltrain.data.raw_table import RawTable

CHOICES = ("numeric", "category", "text", "image", "ignore")
# Runs of versions without dataset.category_values dropped a column of words with more different ones.
CATEGORY_VALUES = 20
CATEGORY_SHARE = 0.05
CATEGORY_VALUES_AT_MOST = 1000
NEARLY_ALL_DIFFER = 0.9
MOSTLY_NUMBERS = 0.9
# Names and addresses have two to four words, sentences seldom fewer than five.
TEXT_WORDS = 5
ID_NAME = re.compile(r"(?:.*[_\W])?(?:id|index|uuid|guid)|rownames|(?:passenger|row|user|customer)id", re.IGNORECASE)
CAMEL_CASE_ID = re.compile(r".*[a-z]I[dD]")
DATE = (
    r"\s*(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d{2})"
    r"|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}|[A-Za-z]{3,9} \d{1,2},? \d{4})"
    r"(?:[T ]\d{1,2}:\d{2}\S*(?: ?[AaPp][Mm])?)?\s*"
)
# 12.5, 1,200.5, 12,5 or 1.200,5
NUMBER_WITH_COMMAS = r"[+-]?(?:\d+(?:\.\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?:\d+|\d{1,3}(?:\.\d{3})+),\d+)"
WHOLE_NUMBER = re.compile(r"([+-]?\d+)(?:\.0*)?")


def infer_kind(
    table: RawTable, name: str, rows: npt.NDArray[np.integer] | None = None, *, keeps_many: bool
) -> tuple[str, str]:
    """Infers the kind of a column from its name and its cells in some rows, given by position; None for all rows.

    `keeps_many` tells whether a column of many different words is a category, else it is ignored. Returns one of
    numeric, category, text, image, ignore, and the reason if it is ignore, else "".

    Raises:
        DataError: If numbers are mixed with words or contain commas.
    """
    values = plain_values(table, name, rows)
    present = values[~missing(values)]
    if not len(present):
        return "ignore", "empty"
    # A column with fractions is no row number, so its distinct values, slow to find in a large table, are not needed.
    fractions = values.dtype == np.float64 and not _whole(present)
    distinct = present[:1] if fractions else pd.Series(present).drop_duplicates().to_numpy()
    alone = present.min() == present.max() if fractions else len(distinct) == 1
    if alone and len(present) == len(values):
        return "ignore", "one value alone"
    if name in table.declared:
        return table.declared[name]
    if fractions:
        return "numeric", ""
    numbers = as_numbers(distinct)
    share = float(np.mean(~np.isnan(numbers)))
    if share == 1:
        return _number_kind(name, numbers, len(values), rows)
    few = max(CATEGORY_VALUES, min(CATEGORY_VALUES_AT_MOST, int(CATEGORY_SHARE * len(table))))
    if share >= MOSTLY_NUMBERS and len(distinct) > few:
        place = int(np.flatnonzero(np.isnan(as_numbers(values)) & ~missing(values))[0])
        row = place if rows is None else rows[place]
        raise DataError(
            f"Column '{name}' holds numbers, and a word in {table.where(row)}: '{values[place]}'. If that "
            f"means a missing value: {as_missing(values[place])}; otherwise name the kind: "
            f"{quoted(f'+dataset.kinds={{{name}: category}}')} (or text, or ignore)."
        )
    if pd.Series(distinct).str.fullmatch(NUMBER_WITH_COMMAS).all():
        raise DataError(
            f"Column '{name}' holds numbers with commas ('{distinct[0]}'), which could mean decimals or "
            f"thousands. Write 1234.5, or name the kind: "
            f"'+dataset.kinds={{{name}: category}}' (or text, or ignore)."
        )
    return _word_kind(present, distinct, few, keeps_many)


def _number_kind(
    name: str, distinct: npt.NDArray[np.float64], count: int, rows: npt.NDArray[np.integer] | None
) -> tuple[str, str]:
    if not _whole(distinct):
        return "numeric", ""
    if ID_NAME.fullmatch(name) or CAMEL_CASE_ID.fullmatch(name):
        return "ignore", "an identifier by its name"
    if len(distinct) == count > 2 and _counts_rows(distinct, rows):
        return "ignore", "counts the rows"
    return "numeric", ""


def _counts_rows(numbers: npt.NDArray[np.float64], rows: npt.NDArray[np.integer] | None) -> bool:
    """Tells whether different whole numbers, one for each of some rows, are a count of all rows, in any order."""
    span = float(np.ptp(numbers))
    if span + 1 == len(numbers):
        return True
    if rows is None:
        return False
    # The train rows alone have gaps. Numbers drawn from so narrow a span would repeat, but for one case in 20,000.
    return bool(np.ptp(numbers - rows) == 0) or len(numbers) ** 2 >= 20 * span


def _whole(numbers: Array) -> bool:
    """Tells whether all numbers are finite and have no fraction."""
    few = numbers[:1000]  # usually enough to decide
    return all(bool(np.all(np.isfinite(some) & (some == np.floor(some)))) for some in (few, numbers))


def _word_kind(present: Array, distinct: Array, few: int, keeps_many: bool) -> tuple[str, str]:
    if _are_dates(distinct):
        return "ignore", "dates"
    if all(str(word).lower().endswith(IMAGE_SUFFIXES) for word in distinct):
        return "image", ""
    all_differ = len(distinct) > 2 and len(distinct) >= NEARLY_ALL_DIFFER * len(present)
    if (all_differ or len(distinct) > few) and np.median([len(str(cell).split()) for cell in present]) >= TEXT_WORDS:
        return "text", ""
    if all_differ:
        return "ignore", "nearly all values differ"
    if len(distinct) > few and not keeps_many:
        return "ignore", f"{len(distinct):,} different values"
    return "category", ""


def _are_dates(distinct: Array) -> bool:
    words = pd.Series(distinct)
    if not words.str.fullmatch(DATE).all():
        return False
    with warnings.catch_warnings():
        # pandas warns if day and month are in another order than asked for; a date is a date in either.
        warnings.simplefilter("ignore")
        parsed = pd.to_datetime(words.head(200), format="mixed", dayfirst=True, errors="coerce", utc=True)
    return bool(parsed.notna().all())


def missing(values: Array) -> npt.NDArray[np.bool_]:
    """Marks the missing cells, shape (n,)."""
    return np.asarray(pd.isna(values))


def plain_values(table: RawTable, name: str, rows: npt.NDArray[np.integer] | None = None) -> Array:
    """Returns a column as float64 with NaN if its type is one of numbers, else as object of str with None, (n,).

    `rows` selects rows by position; None takes all.
    """
    column = table.columns[name] if rows is None else table.columns[name].take(pa.array(rows))
    return cells.numbers(column) if cells.is_number(column) else cells.word_array(column)


def as_numbers(values: Array) -> npt.NDArray[np.float64]:
    """Converts cells to float64, with NaN for what is no number."""
    if values.dtype == np.float64:
        return values.astype(np.float64, copy=False)
    return pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").to_numpy(dtype=np.float64)


def numeric_values(table: RawTable, name: str) -> npt.NDArray[np.float64]:
    """Converts a column to float64 of shape (n,), with NaN for a missing cell.

    Raises:
        DataError: If a cell holds a word or an infinite number; the message names it.
    """
    values = plain_values(table, name)
    numbers = as_numbers(values)
    bad = np.flatnonzero(np.isnan(numbers) & ~missing(values))
    if bad.size:
        raise DataError(
            f"Column '{name}' cannot be numeric: {table.where(bad[0])} holds '{values[bad[0]]}'. If that "
            f"means a missing value: {as_missing(values[bad[0]])}; otherwise name another kind: "
            f"{quoted(f'+dataset.kinds={{{name}: category}}')} (or text, or ignore)."
        )
    infinite = np.flatnonzero(np.isinf(numbers))
    if infinite.size:
        raise DataError(
            f"Column '{name}' has an infinite value in {table.where(infinite[0])}; expected finite numbers "
            "(an empty cell where the value is unknown)."
        )
    return numbers


def spelling_of(table: RawTable, name: str, rows: npt.NDArray[np.integer] | None = None) -> str:
    """Returns how the words of a column are spelled, by its cells in some rows: truth, whole, or "" as written."""
    if not cells.is_text(table.columns[name]):
        return ""
    words = plain_values(table, name, rows)
    distinct = pd.unique(pd.Series(words[~missing(words)], dtype=object)).tolist()
    if {word.lower() for word in distinct} <= {"true", "false"}:
        return "truth"
    return "whole" if all(WHOLE_NUMBER.fullmatch(word) for word in distinct) else ""


def word_values(table: RawTable, name: str, spelling: str | None = None) -> Array:
    """Converts a column to words: an object array of str with None for a missing cell, shape (n,).

    Whole numbers are written without a decimal point, and true and false with a capital, where `spelling`, which is
    that of all rows if it is None, says that the column holds such.
    """
    words: Array = cells.word_array(table.columns[name])
    spelling = spelling_of(table, name) if spelling is None else spelling
    if not spelling:
        return words
    absent = missing(words)
    distinct = pd.unique(pd.Series(words[~absent], dtype=object)).tolist()
    # A program that wrote whole numbers beside missing cells wrote "1.0" for 1; "007" stays as it is.
    spell = _truth if spelling == "truth" else _without_point
    spelled = {word: spell(word) for word in distinct}
    words[~absent] = [spelled[word] for word in words[~absent]]
    return words


def _truth(word: str) -> str:
    return word.capitalize() if word.lower() in {"true", "false"} else word


def _without_point(word: str) -> str:
    whole = WHOLE_NUMBER.fullmatch(word)
    return whole[1] if whole else word


def feature_values(table: RawTable, name: str, kind: str, spelling: str | None = None) -> Array:
    """Converts a column to the values of a feature of this kind, shape (n,).

    Numeric gives float64 with NaN for a missing cell, any other kind an object array of str with ""; an image is given
    by its path. `spelling` is that of `word_values`.
    """
    if kind == "numeric":
        return numeric_values(table, name)
    words = word_values(table, name, spelling)
    words[missing(words)] = ""
    return words


def target_values(table: RawTable, name: str, kind: str | None = None) -> Array:
    """Converts a column to a target of shape (n,): float64 with NaN if it holds numbers, else words with None.

    `kind` is numeric or category as the user chose, or None to decide by the cells.

    Raises:
        DataError: If every cell is missing, or numeric was chosen and a cell is no finite number.
    """
    values = plain_values(table, name)
    present = values[~missing(values)]
    if not len(present):
        raise DataError(f"{table.origin}: the target '{name}' has no value in any row.")
    if kind is None:
        numbers = as_numbers(pd.Series(present).drop_duplicates().to_numpy())
        # Declared classes stay words, because 1, 2, 3 would look like quantities; 0 and 1 do not.
        classes = name in table.declared and not set(numbers.tolist()) <= {0.0, 1.0}
        kind = "category" if classes or np.isnan(numbers).any() else "numeric"
    return numeric_values(table, name) if kind == "numeric" else word_values(table, name)


def as_missing(word: str) -> str:
    """Returns the override by which a word means a missing value, for the shell."""
    return quoted(f'dataset.missing_values=["{word}"]')
