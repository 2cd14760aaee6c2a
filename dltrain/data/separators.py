"""Names the characters that separate fields, and detects which of them a text has."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from dltrain.base.errors import ConfigError, did_you_mean

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "whitespace": " "}
# One space stands for any run of blanks.
WHITESPACE = " "
# How the csv module is told which quotes stand around fields.
QUOTES: dict[str, dict[str, Any]] = {
    "double": {"quotechar": '"'},
    "single": {"quotechar": "'"},
    "none": {"quoting": csv.QUOTE_NONE, "quotechar": None},
}
SAMPLE_RECORDS = 100


def detect_separator(text: str, quotes: Mapping[str, Any] = QUOTES["double"], likely: str | None = None) -> str:
    """Detects which of `, ; tab |` or space splits the first records evenly, into as many fields as possible.

    A space stands for a run of blanks. `likely` is returned if it splits the first record, and no other one splits the
    records more evenly; it, or the comma, is returned too if nothing splits the first record.
    """
    # A record can span several lines.
    sample = "".join(islice(io.StringIO(text, newline=""), 4 * SAMPLE_RECORDS))
    best: tuple[float, float] = (0.0, 1)
    found = likely or ","
    for mark in sorted(SEPARATORS.values(), key=lambda mark: mark != likely):
        # Sentences contain blanks, so blanks count only if no other separator splits the lines.
        if mark == WHITESPACE and best[1] > 1:
            continue
        counts = _sample_counts(sample, mark, quotes)
        if not counts or counts[0] < 2:
            continue
        even = Counter(counts)[counts[0]] / len(counts)
        # Rounded, so that one ragged line, which is reported later, does not favour a worse separator.
        score = (round(even, 1), math.inf if mark == likely else counts[0])
        if score > best:
            best, found = score, mark
    return found


def _sample_counts(sample: str, mark: str, quotes: Mapping[str, Any]) -> list[int]:
    lines = plain_lines(io.StringIO(sample, newline=""), mark)
    reader = csv.reader(lines, delimiter=mark, skipinitialspace=True, **quotes)
    try:
        return [len(fields) for fields in islice(filter(None, reader), SAMPLE_RECORDS)]
    except csv.Error:
        return []


def plain_lines(lines: io.StringIO, mark: str) -> Iterator[str]:
    """Yields lines in which one mark stands for a run of blanks, and blank lines are empty."""
    for line in lines:
        if mark == WHITESPACE:
            yield re.sub(r"[ \t]+", " ", line.strip(" \t\r\n"))
        else:
            yield line if line.strip(" \r\n") else "\n"


def separator_mark(separator: str) -> str:
    """Returns the character that a user's word names, or raises ConfigError."""
    mark = SEPARATORS.get(separator, {"\\t": "\t", "\\s+": " "}.get(separator, separator))
    if len(mark) != 1 or mark.isalnum() or mark in '"\r\n':
        raise ConfigError(
            f"dataset.separator={separator} cannot separate fields: expected one character or a name."
            f"{did_you_mean(separator, SEPARATORS)}"
        )
    return mark


def separator_name(mark: str) -> str:
    """Returns the name of a separator, or the character in quotes."""
    return next((name for name, character in SEPARATORS.items() if character == mark), f"'{mark}'")
