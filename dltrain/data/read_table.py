"""Reads a raw table from CSV, TSV, space-separated text, ARFF or Parquet; text also from .gz."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pyarrow
import pyarrow.parquet

from dltrain.base.errors import ConfigError, DataError
from dltrain.data import arff, delimited
from dltrain.data.raw_table import RawTable, check_names, from_columns, mark_missing
from dltrain.data.source_file import decode, find_file, read_bytes

PARQUET_MAGIC = b"PAR1"
PARQUET_SUFFIXES = {".parquet", ".pq"}
OTHER_FORMATS = {".xlsx", ".xls", ".ods", ".json", ".jsonl", ".zip", ".npz", ".npy", ".h5", ".feather", ".sav"}


def read_table(
    path: str,
    *,
    separator: str | None = None,
    encoding: str | None = None,
    header: bool = True,
    missing_values: Collection[str] = (),
    words: Collection[str] = (),
) -> RawTable:
    """Reads the columns of a file as they are.

    Args:
        path: The file; its suffix (before .gz) tells ARFF and Parquet, all else is text with separators.
        separator: A character or its name; None detects it.
        encoding: A codec's name; None detects it.
        header: Whether the first line of a text file holds the names.
        missing_values: Words for a missing cell, in addition to those of pandas.
        words: Columns whose cells are kept as written in a text file ("007" is not 7).

    Raises:
        ConfigError: If a key has no effect on this kind of file.
        DataError: If the file cannot be read.
    """
    found = find_file(path)
    suffixes = [suffix.lower() for suffix in found.suffixes if suffix.lower() != ".gz"]
    suffix = suffixes[-1] if suffixes else ""
    if suffix in OTHER_FORMATS:
        raise DataError(f"{found.name}: {suffix} files are not read; save the table as .csv, .tsv, .parquet or .arff.")
    whole = _begins_as_parquet(found)
    content = b"" if whole else read_bytes(found)
    parquet = whole or suffix in PARQUET_SUFFIXES or content.startswith(PARQUET_MAGIC)
    declared = parquet or suffix == ".arff"
    idle = {"separator": declared and separator, "encoding": parquet and encoding, "header": declared and not header}
    if keys := [f"dataset.{key}" for key, value in idle.items() if value]:
        raise ConfigError([f"{key} has no effect on {found.name}, which is no text with separators." for key in keys])
    if parquet:
        return mark_missing(_parse_parquet(found if whole else io.BytesIO(content), found.name), missing_values)
    text, notes = decode(content, origin=found.name, encoding=encoding)
    if suffix == ".arff":
        table = arff.parse(text, origin=found.name)
    else:
        table = delimited.parse(
            text, origin=found.name, separator=separator, header=header, missing_values=missing_values, words=words
        )
    return mark_missing(replace(table, notes=(*notes, *table.notes)), missing_values)


def _begins_as_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
    except OSError:
        return False  # `read_bytes` reports why


def _parse_parquet(file: Path | io.BytesIO, origin: str) -> RawTable:
    try:
        parquet = pyarrow.parquet.ParquetFile(file)
        names = parquet.schema_arrow.names
        if not (names and parquet.metadata.num_rows):
            raise DataError(f"{origin} has no rows.")
        check_names(names, origin=origin)
        # Columns are converted one by one, so that the table is never in memory twice.
        return from_columns(((name, parquet.read([name]).column(name)) for name in names), origin=origin)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise DataError(f"{origin} cannot be read as Parquet: {reason}.") from None
