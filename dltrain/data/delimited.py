"""Parses text with separators (CSV, TSV, space-separated) and requires the same number of fields in every line."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice

import numpy as np
import pandas as pd

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.data.raw_table import RawTable, check_names, from_frame

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "whitespace": " "}
# One space stands for any run of blanks.
WHITESPACE = " "
SAMPLE_RECORDS = 100


def parse(
    text: str,
    *,
    origin: str,
    separator: str | None,
    header: bool,
    missing_values: Collection[str],
    words: Collection[str],
) -> RawTable:
    """Parses text with separators into a table; the arguments are explained in `read_table`.

    Without a header, columns are named column_1, column_2, …

    Raises:
        ConfigError: If the separator is no single character or known name.
        DataError: If a line has more or fewer fields than the first, a quote stays open, two columns have the same
            name, or there is no row.
    """
    mark = detect_separator(text) if separator is None else _separator(separator)
    first: list[str] | None = None
    lines: list[int] = []
    for line, fields in _records(text, mark, origin):
        if first is None:
            first = fields
        elif len(fields) != len(first):
            raise DataError(
                f"{origin} line {line}: expected {len(first)} fields as in the "
                f"first line, got {len(fields)} (separator: {_separator_name(mark)}). "
                "A value that holds the separator has to stand in quotes."
            )
        lines.append(line)
    if first is None:
        raise DataError(f"{origin} is empty.")
    if header:
        lines = lines[1:]
        names = [name.strip() or f"column_{position}" for position, name in enumerate(first, start=1)]
        check_names(names, origin=origin)
    else:
        names = [f"column_{position}" for position in range(1, len(first) + 1)]
    if not lines:
        raise DataError(f"{origin} has a header and no rows.")
    notes = () if separator is not None else (f"separator: {_separator_name(mark)}, {len(names)} columns.",)
    try:
        frame = pd.read_csv(
            io.StringIO(text, newline=""),
            sep=r"\s+" if mark == WHITESPACE else mark,
            header=0 if header else None,
            names=names,
            index_col=False,
            dtype={name: "str" for name in words if name in names},
            na_values=sorted(missing_values),
            skipinitialspace=True,
            low_memory=False,
        )
    except (pd.errors.ParserError, ValueError) as error:
        raise DataError(f"{origin} cannot be read as a table: {error}") from None
    if len(frame) != len(lines):
        raise DataError(f"{origin}: {len(lines)} rows were counted and {len(frame)} read; look for stray quotes.")
    return from_frame(frame, origin=origin, lines=np.asarray(lines, dtype=np.int64), notes=notes)


def detect_separator(text: str) -> str:
    """Detects which of `, ; tab |` or space splits the first records evenly, into as many fields as possible.

    A space stands for a run of blanks. The comma is returned if nothing splits the first record.
    """
    # A record can span several lines.
    sample = "".join(islice(io.StringIO(text, newline=""), 4 * SAMPLE_RECORDS))
    best: tuple[float, int] = (0.0, 1)
    found = ","
    for mark in SEPARATORS.values():
        # Sentences contain blanks, so blanks count only if no other separator splits the lines.
        if mark == WHITESPACE and best[1] > 1:
            continue
        counts = _sample_counts(sample, mark)
        if not counts or counts[0] < 2:
            continue
        even = Counter(counts)[counts[0]] / len(counts)
        # Rounded, so that one ragged line, which is reported later, does not favour a worse separator.
        if (round(even, 1), counts[0]) > best:
            best, found = (round(even, 1), counts[0]), mark
    return found


def _sample_counts(sample: str, mark: str) -> list[int]:
    reader = csv.reader(_lines(sample, mark), delimiter=mark, skipinitialspace=True)
    try:
        return [len(fields) for fields in islice(filter(None, reader), SAMPLE_RECORDS)]
    except csv.Error:
        return []


def _records(text: str, mark: str, origin: str) -> Iterator[tuple[int, list[str]]]:
    # The default limit of 131,072 characters guards streams; here no cell can be longer than the text.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    reader = csv.reader(_lines(text, mark), delimiter=mark, skipinitialspace=True, strict=True)
    start = 1
    try:
        for fields in reader:
            if fields:
                yield start, fields
            start = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise DataError(f'{origin} line {start}: a quote (") is opened and never closed.') from None
        raise DataError(f"{origin} line {start} cannot be read: {error}.") from None


def _lines(text: str, mark: str) -> Iterator[str]:
    for line in io.StringIO(text, newline=""):
        if mark == WHITESPACE:
            yield re.sub(r"[ \t]+", " ", line.strip(" \t\r\n"))
        else:
            yield line if line.strip(" \r\n") else "\n"


def _separator(separator: str) -> str:
    mark = SEPARATORS.get(separator, {"\\t": "\t", "\\s+": " "}.get(separator, separator))
    if len(mark) != 1 or mark.isalnum() or mark in '"\r\n':
        raise ConfigError(
            f"dataset.separator={separator} cannot separate fields: expected one character or a name."
            f"{did_you_mean(separator, SEPARATORS)}"
        )
    return mark


def _separator_name(mark: str) -> str:
    return next((name for name, character in SEPARATORS.items() if character == mark), f"'{mark}'")
