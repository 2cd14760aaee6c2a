"""Reads a raw table from CSV and the like, JSON lines, ARFF, Parquet, Feather or Excel, in blocks or as a whole.

Training and predictions read through here, so that the same cell means the same thing in both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from dltrain.base.errors import ConfigError, DataError
from dltrain.data import arff, arrow_files, delimited, excel, json_lines
from dltrain.data.cells import is_text
from dltrain.data.missing_cells import Missing
from dltrain.data.raw_table import RawTable, join, mark_missing
from dltrain.data.reading import Reading
from dltrain.data.source_file import find_file
from dltrain.data.source_stream import Source

SUFFIXES = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet", ".feather": "feather",
    ".arrow": "feather", ".arff": "arff", ".jsonl": "jsonl", ".ndjson": "jsonl", ".xlsx": "excel", ".xlsm": "excel",
}  # fmt: skip
MAGIC = {b"PAR1": "parquet", b"ARROW1": "feather", b"FEA1": "feather"}
OTHER_FORMATS = {".xls", ".ods", ".npz", ".npy", ".h5", ".sav", ".dta", ".sas7bdat", ".tar"}
FORMATS: dict[str, Callable[[Source, Any, Reading], Iterator[RawTable]]] = {
    "csv": delimited.blocks,
    "tsv": delimited.blocks,
    "jsonl": json_lines.blocks,
    "arff": arff.blocks,
    "parquet": arrow_files.parquet_blocks,
    "feather": arrow_files.feather_blocks,
    "excel": excel.blocks,
}
TEXT = {"csv", "tsv"}  # formats without types


def read_table(
    path: str,
    *,
    separator: str | None = None,
    encoding: str | None = None,
    header: bool = True,
    missing_values: Collection[object] = (),
    words: Collection[str] | Callable[[str], bool] = (),
    classes: Collection[str] = (),
    quoting: str | None = None,
) -> RawTable:
    """Reads the columns of a file as they are.

    Args:
        path: The file; its suffix (before .gz or .zip) and its first bytes tell the format, CSV if nothing does.
        separator: A character or its name; None detects it.
        encoding: A codec's name; None detects it.
        header: Whether the first line of a text file holds the names.
        missing_values: Words for a missing cell, in addition to those of pandas.
        words: Columns whose cells are kept as written in a text file ("007" is not 7), or what tells them by name.
        quoting: The quotes around fields of a text file, one of double, single and none; None is double.
        classes: Columns in which words such as None are no missing cells.

    Raises:
        ConfigError: If a key has no effect on this kind of file.
        DataError: If the file cannot be read.
    """
    source = Source(find_file(path))
    as_written = words if callable(words) else frozenset(words).__contains__
    reading = Reading(separator, encoding, header, Missing.of(missing_values, classes), as_written, quoting=quoting)
    seen: dict[str, set[str]] = {}
    table = join(_watched(read_blocks(source, reading, strict=True), seen))
    mixed = frozenset(name for name, kinds in seen.items() if len(kinds) > 1)
    if not mixed:
        return table
    # What is a number in one block and a word in another is read again as it is written.
    written = join(read_blocks(source, replace(reading, words=mixed.__contains__, only=mixed)))
    return replace(table, columns={**table.columns, **written.columns})


def _watched(blocks: Iterator[RawTable], seen: dict[str, set[str]]) -> Iterator[RawTable]:
    """Yields the blocks, and adds to `seen` what each column of a text was taken for: words, numbers or both."""
    for block in blocks:
        for name, cells in block.columns.items():
            if is_text(cells):
                seen.setdefault(name, set()).add("words")
            elif pa.types.is_float64(cells.type) and not np.isnan(cells.to_numpy()).all():
                seen.setdefault(name, set()).add("numbers")
        yield block


def read_blocks(
    source: Source, reading: Reading, file_format: str | None = None, *, strict: bool = False
) -> Iterator[RawTable]:
    """Yields the rows of a file or of standard input in blocks, at least one; the format is detected if not given.

    Raises:
        ConfigError: If it is strict and something given has no effect on this format.
        DataError: If the file cannot be read; the message names the line or row.
    """
    with source.open() as (stream, suffix):
        found = file_format or detect_format(stream, suffix)
        if found is None:
            raise DataError(
                f"{source.origin}: {suffix} files are not read; save the table as .csv, .parquet, .xlsx or .jsonl."
            )
        if strict:
            _check_effect(source, reading, found)
        if found == "tsv" and reading.separator is None:
            reading = replace(reading, separator="tab")
        for block in FORMATS[found](source, stream, reading):
            yield block if found in TEXT else mark_missing(block, reading.missing)


def detect_format(stream: Any, suffix: str) -> str | None:
    """Tells the format of a stream with a method `peek` by its first bytes or the suffix; None if it is not read."""
    start = stream.peek(16)[:16]
    for magic, name in MAGIC.items():
        if start.startswith(magic):
            return name
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix in OTHER_FORMATS:
        return None
    return "jsonl" if start.lstrip().startswith(b"{") else "csv"


def _check_effect(source: Source, reading: Reading, found: str) -> None:
    idle = {
        "separator": reading.separator and found not in TEXT,
        "encoding": reading.encoding and found not in {*TEXT, "arff"},
        "header": not reading.header and found not in TEXT,
        "quoting": reading.quoting and found not in TEXT,
    }
    if keys := [f"dataset.{key}" for key, value in idle.items() if value]:
        reason = f"has no effect on {source.origin}, which is not text with separators."
        raise ConfigError([f"{key} {reason}" for key in keys])
