"""Infers the kind of a column from its cells (numeric, category, text, image, date) and how they are read.

Few different words make a category, sentences a text, names of image files an image; identifiers and constants are
ignored.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dltrain.base.errors import DataError
from dltrain.data import cells
from dltrain.data.choose_format import NOTHING_GIVEN, Given, choose_format
from dltrain.data.column_reading import ColumnReading, spelling_of
from dltrain.data.dataset import Array
from dltrain.data.dates import EXAMPLES, date_format
from dltrain.data.image_file import SUFFIXES as IMAGE_SUFFIXES
from dltrain.data.number_format import NumberFormat
from dltrain.data.raw_table import RawTable
from dltrain.data.stray_words import refuse_words_among_dates, refuse_words_among_numbers

CHOICES = ("numeric", "category", "text", "image", "date", "ignore")
# Runs of versions without dataset.category_values dropped a column of words with more different ones.
CATEGORY_VALUES = 20
CATEGORY_SHARE = 0.05
CATEGORY_VALUES_AT_MOST = 1000
NEARLY_ALL_DIFFER = 0.9
IDENTIFIER = "an identifier by its name"  # why a column is ignored
# Names and addresses have two to four words, sentences seldom fewer than five.
TEXT_WORDS = 5
CELLS_AT_ONCE = 4_096
ID_NAME = re.compile(r"(?:.*[_\W])?(?:id|index|uuid|guid)|rownames|(?:passenger|row|user|customer)id", re.IGNORECASE)
CAMEL_CASE_ID = re.compile(r".*[a-z]I[dD]")
DATE = (
    r"\s*(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d{2})"
    r"|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}|[A-Za-z]{3,9} \d{1,2},? \d{4})"
    r"(?:[T ]\d{1,2}:\d{2}\S*(?: ?[AaPp][Mm])?)?\s*"
)

Rows = npt.NDArray[np.integer]


PLAIN = ColumnReading()


@dataclass(frozen=True)
class ColumnRules:
    """How it is inferred what the columns of a table mean.

    Attributes:
        version: 2, or 1 for runs of versions that took for numbers only what a program writes, and ignored dates.
        given: What the user says on decimals and thousands.
        keeps_many: Whether a column of many different words is a category, else it is ignored.
        day_first: Whether the day comes before the month in dates that leave it open; None refuses these.
    """

    version: Literal[1, 2] = 2
    given: Given = NOTHING_GIVEN
    keeps_many: bool = True
    day_first: bool | None = None


RULES = ColumnRules()


@dataclass(frozen=True)
class Meaning:
    """What a column is and how its cells are read."""

    kind: str  # numeric, category, text, image, date or ignore
    reason: str = ""  # why it is ignored
    reading: ColumnReading = PLAIN
    note: str = ""  # a sentence for the log on how numbers are written


def infer_meaning(table: RawTable, name: str, rows: Rows | None = None, rules: ColumnRules = RULES) -> Meaning:
    """Infers what a column is from its name and its cells in some rows, given by position; None for all rows.

    Raises:
        DataError: If numbers are mixed with words, or it is open how they are written.
    """
    table = table.abridged(name)
    column = table.columns[name] if rows is None else table.columns[name].take(pa.array(rows))
    absent = cells.missing(column)
    present = column.filter(pa.array(~absent)) if absent.any() else column
    if not len(present):
        return Meaning("ignore", "empty")
    numbers: Any = cells.numbers(present) if cells.is_number(present) else None
    # A column with fractions is no row number, so its distinct values, slow to find in a large table, are not needed.
    fractions = numbers is not None and not _whole(numbers)
    distinct = present[:1] if fractions else pc.unique(cells.words(present) if numbers is None else present)
    alone = numbers.min() == numbers.max() if fractions else len(distinct) == 1
    if alone and len(present) == len(column):
        return Meaning("ignore", "one value alone")
    if name in table.declared:
        kind, reason = table.declared[name]
        return Meaning(kind, reason, read_as(table, name, kind, rows, rules)[0])
    if fractions:
        return Meaning("numeric")
    if numbers is not None:
        return Meaning(*_number_kind(name, cells.numbers(distinct), len(column), rows))
    if cells.is_text(column) and (found := _numbers(table, name, distinct, rules)):
        number_format, note = found
        values = number_format.parse(distinct).to_numpy(zero_copy_only=False)
        kind, reason = _number_kind(name, values, len(column), rows)
        return Meaning(kind, reason, ColumnReading(number_format), note if kind == "numeric" else "")
    few = max(CATEGORY_VALUES, min(CATEGORY_VALUES_AT_MOST, int(CATEGORY_SHARE * len(table))))
    refuse_words_among_numbers(table, name, distinct, few, plain=rules.version == 1)
    if rules.version == 2:
        if found_format := date_format(name, cells.words(distinct), rules.day_first):
            return Meaning("date", reading=ColumnReading(dates=found_format), note=_dates_note(name, found_format))
        refuse_words_among_dates(table, name, cells.words(distinct), few)
    kind, reason = _word_kind(present, distinct, few, rules.keeps_many)
    return Meaning(kind, reason, ColumnReading(spelling=spelling_of(distinct if cells.is_text(column) else column)))


def read_as(
    table: RawTable, name: str, kind: str, rows: Rows | None = None, rules: ColumnRules = RULES
) -> tuple[ColumnReading, str]:
    """Returns how the cells of a column of a known kind are read, by those in some rows, and a sentence for the log.

    Raises:
        DataError: If it is open how numbers are written.
    """
    table = table.abridged(name)
    column = table.columns[name] if rows is None else table.columns[name].take(pa.array(rows))
    if kind == "date":
        found = _asked_format(name, pc.unique(cells.words(column).drop_null()), rules)
        return ColumnReading(dates=found), _dates_note(name, found)
    if not cells.is_text(column):
        return ColumnReading(spelling="" if kind == "numeric" else spelling_of(column)), ""
    distinct = pc.unique(column.drop_null())
    if kind != "numeric":
        # A category finds the word of a number among those it knows; a text has none.
        return ColumnReading(spelling=spelling_of(distinct, fractions=kind == "text")), ""
    number_format, note = _numbers(table, name, distinct, rules) or (NumberFormat(), "")
    return ColumnReading(number_format), note


def _asked_format(name: str, distinct: Any, rules: ColumnRules) -> str:
    found = date_format(name, distinct, rules.day_first) or date_format(name, distinct[:1], rules.day_first)
    if found is None:
        came = f"'{distinct[0]}'" if len(distinct) else "no value"
        raise DataError(
            f"Column '{name}' cannot be of dates: expected cells such as {', '.join(EXAMPLES.values())}, got {came}."
        )
    return found


def _dates_note(name: str, named: str) -> str:
    return f"{name}: dates such as {EXAMPLES[named]}."


def _numbers(table: RawTable, name: str, distinct: Any, rules: ColumnRules) -> tuple[NumberFormat, str] | None:
    if rules.version == 2:
        return choose_format(table, name, distinct, rules.given)
    plain = NumberFormat()
    return (plain, "") if pc.count(plain.parse(distinct)).as_py() == len(distinct) else None


def _number_kind(name: str, distinct: npt.NDArray[np.float64], count: int, rows: Rows | None) -> tuple[str, str]:
    if not _whole(distinct):
        return "numeric", ""
    if ID_NAME.fullmatch(name) or CAMEL_CASE_ID.fullmatch(name):
        return "ignore", IDENTIFIER
    if len(distinct) == count > 2 and _counts_rows(distinct, rows):
        return "ignore", "counts the rows"
    return "numeric", ""


def _counts_rows(numbers: npt.NDArray[np.float64], rows: Rows | None) -> bool:
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


def _word_kind(present: Any, distinct: Any, few: int, keeps_many: bool) -> tuple[str, str]:
    # A few words tell nearly always; texts as Python's words and pandas' would take several times their memory.
    for some in (distinct[:100], distinct):
        words = some.to_numpy(zero_copy_only=False)
        dates, images = _are_dates(words), all(str(word).lower().endswith(IMAGE_SUFFIXES) for word in words)
        if not (dates or images):
            break
    if dates:
        return "ignore", "dates"
    if images:
        return "image", ""
    all_differ = len(distinct) > 2 and len(distinct) >= NEARLY_ALL_DIFFER * len(present)
    if (all_differ or len(distinct) > few) and _median_words(present) >= TEXT_WORDS:
        return "text", ""
    if all_differ:
        return "ignore", "nearly all values differ"
    if len(distinct) > few and not keeps_many:
        return "ignore", f"{len(distinct):,} different values"
    return "category", ""


def _median_words(present: Any) -> float:
    words = cells.words(present)
    blocks = (words[first : first + CELLS_AT_ONCE].to_pylist() for first in range(0, len(words), CELLS_AT_ONCE))
    return float(np.median([len(str(cell).split()) for block in blocks for cell in block]))


def _are_dates(distinct: Array) -> bool:
    words = pd.Series(distinct)
    if not words.str.fullmatch(DATE).all():
        return False
    with warnings.catch_warnings():
        # pandas warns if day and month are in another order than asked for; a date is a date in either.
        warnings.simplefilter("ignore")
        parsed = pd.to_datetime(words.head(200), format="mixed", dayfirst=True, errors="coerce", utc=True)
    return bool(parsed.notna().all())
