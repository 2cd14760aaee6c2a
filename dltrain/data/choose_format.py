"""Chooses how a column of text writes numbers, by its cells in the train rows and by what the user says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

import pyarrow as pa
import pyarrow.compute as pc

from dltrain.base.errors import DataError
from dltrain.config.written import entry
from dltrain.data.number_format import DECIMAL, THOUSANDS, MixedNumbersError, NumberFormat, fitting
from dltrain.data.raw_table import RawTable

THREE_DECIMALS = 50  # different cells; of so many numbers cut to three decimals some would end in 0 and be shorter
Marks = str | Mapping[str, str] | None


@dataclass(frozen=True)
class Given:
    """What the user says on numbers: a mark for all columns, or one for each named column."""

    decimal: Marks = None
    thousands: Marks = None

    def of(self, column: str) -> tuple[str, str]:
        """Returns the decimal mark and that between thousands of a column, "" where none is given."""
        return _mark(self.decimal, column), _mark(self.thousands, column)

    def faults(self) -> list[str]:
        """Returns a sentence for each mark that is none."""
        given = [("decimal", self.decimal, DECIMAL), ("thousands", self.thousands, THOUSANDS)]
        return [
            f"dataset.{key}: expected {', '.join(choices)}, or one of them for each column, got '{mark}'."
            for key, marks, choices in given
            for mark in (marks.values() if isinstance(marks, Mapping) else [] if marks is None else [marks])
            if mark not in choices
        ]


NOTHING_GIVEN = Given()


def _mark(marks: Marks, column: str) -> str:
    if isinstance(marks, Mapping):
        marks = {normalize("NFC", name): mark for name, mark in marks.items()}.get(column)
    return str(marks or "")


def choose_format(table: RawTable, name: str, words: Any, given: Given) -> tuple[NumberFormat, str] | None:
    """Returns how the different cells of a column write numbers and a sentence for the log, or None for other words.

    Raises:
        DataError: If the cells demand different formats, or leave open which mark is that of decimals.
    """
    decimal, thousands = given.of(name)
    try:
        found = fitting(words, decimal, thousands)
    except MixedNumbersError as error:
        one, other = (f"'{cell}' in {_where(table, name, cell)}" for cell in (error.one, error.other))
        raise DataError(
            f"Column '{name}' writes numbers in two ways, {one} and {other}. Write them alike, or say what else it "
            f"holds: {entry('dataset.kinds', name, 'category')} or {entry('dataset.kinds', name, 'ignore')}."
        ) from None
    if not found:
        return None
    chosen = found[0]
    asked = (decimal or thousands) and decimal in ("", chosen.decimal) and thousands in ("", chosen.thousands)
    points = chosen == NumberFormat(sign=chosen.sign)
    if len(found) == 1 or asked or (points and not _may_be_thousands(table, words)):
        return chosen, _sentence(name, chosen, words)
    mark = "point" if points else "comma"
    example = pc.filter(words, pc.match_substring(words, "." if points else ","))[0]
    meant = [f"{each.parse(pa.array([example]))[0].as_py():.15g}" for each in (chosen, found[1])]
    as_thousands, as_decimals = entry("dataset.thousands", name, mark), entry("dataset.decimal", name, mark)
    if points or not (table.separator == "," or _shows_thousands(words, ",")):
        thousands_first = meant[::-1] if points else meant
        raise DataError(
            f"Column '{name}' of {table.origin} leaves open what '{example}' is: {thousands_first[0]} with "
            f"{as_thousands}, or {thousands_first[1]} with {as_decimals}. dataset.thousands={mark} is for all columns."
        )
    return chosen, f"{_sentence(name, chosen, words)[:-1]}; {meant[1]} with {as_decimals}."


def _may_be_thousands(table: RawTable, words: Any) -> bool:
    """Tells whether numbers such as 18.568, which are decimals to a program, may be whole ones that a person wrote.

    `words` are the different cells, in which a point has three digits behind it wherever there is one.
    """
    return table.has_decimal_commas or _shows_thousands(words, ".")


def _shows_thousands(words: Any, mark: str) -> bool:
    """Tells whether a mark with three digits behind it in so many different cells, but not in all, parts thousands."""
    marked: int = pc.sum(pc.match_substring(words, mark)).as_py()
    return THREE_DECIMALS <= marked < len(words)


def _where(table: RawTable, name: str, cell: str) -> str:
    return table.where(pc.index(table.columns[name], cell).as_py())


def _sentence(name: str, chosen: NumberFormat, words: Any) -> str:
    """Tells a format by the cell that shows most of it; "" for plain numbers."""
    if chosen.plain:
        return ""
    marks = pc.count_substring_regex(words, r"[^0-9]")
    example = words[pc.index(marks, pc.max(marks)).as_py()]
    number = chosen.parse(pa.array([example]))[0].as_py()
    return f"{name}: numbers {chosen.described()}, '{example}' is {number:.15g}."
