"""The raw table in a file: CSV, TSV, space-separated text, ARFF or Parquet; the text ones also as .gz."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import replace

import pyarrow
import pyarrow.parquet

from dltrain.data import arff, delimited
from dltrain.data.raw_table import RawTable, from_frame, mark_missing
from dltrain.data.source_file import decode, find_file, read_bytes
from dltrain.errors import ConfigError, DataError

PARQUET_MAGIC = b"PAR1"
PARQUET_SUFFIXES = {".parquet", ".pq"}
OTHER_FORMATS = {
    ".xlsx",
    ".xls",
    ".ods",
    ".json",
    ".jsonl",
    ".zip",
    ".npz",
    ".npy",
    ".h5",
    ".feather",
    ".sav",
}


def read_table(
    path: str,
    *,
    separator: str | None = None,
    encoding: str | None = None,
    header: bool = True,
    missing_values: Collection[str] = (),
    words: Collection[str] = (),
) -> RawTable:
    """The columns of a file as they stand in it.

    Args:
        path: the file; its suffix (before .gz) tells ARFF and Parquet, all else is text with separators.
        separator: a character or its name, or None to detect it.
        encoding: a codec's name, or None to detect it.
        header: whether the first line of a text file holds the names.
        missing_values: words that mean a missing cell, beside the usual ones.
        words: columns whose cells are kept as they are written in a text file ("007" is not 7).

    Raises:
        ConfigError: a key that has no effect on this kind of file.
        DataError: a file that cannot be read.
    """
    found = find_file(path)
    suffixes = [suffix.lower() for suffix in found.suffixes if suffix.lower() != ".gz"]
    suffix = suffixes[-1] if suffixes else ""
    if suffix in OTHER_FORMATS:
        raise DataError(f"{found.name}: {suffix} files are not read; save the table as .csv, .tsv, .parquet or .arff.")
    content = read_bytes(found)
    parquet = suffix in PARQUET_SUFFIXES or content.startswith(PARQUET_MAGIC)
    _check_effect(
        found.name, separator=(parquet or suffix == ".arff") and separator, encoding=parquet and encoding,
        header=(parquet or suffix == ".arff") and not header,
    )  # fmt: skip
    if parquet:
        return mark_missing(_parse_parquet(content, found.name), missing_values)
    text, notes = decode(content, origin=found.name, encoding=encoding)
    if suffix == ".arff":
        table = mark_missing(arff.parse(text, origin=found.name), missing_values)
    else:
        table = delimited.parse(
            text,
            origin=found.name,
            separator=separator,
            header=header,
            missing_values=missing_values,
            words=words,
        )
    return replace(table, notes=(*notes, *table.notes))


def _parse_parquet(content: bytes, origin: str) -> RawTable:
    try:
        # Without pandas' own metadata, what was an index comes back as the column that it is in the file.
        frame = pyarrow.parquet.read_table(io.BytesIO(content)).to_pandas(ignore_metadata=True)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise DataError(f"{origin} cannot be read as Parquet: {reason}.") from None
    if frame.empty:
        raise DataError(f"{origin} has no rows.")
    return from_frame(frame, origin=origin)


def _check_effect(origin: str, **given: object) -> None:
    idle = [f"dataset.{key}" for key, value in given.items() if value]
    if idle:
        raise ConfigError([f"{key} has no effect on {origin}, which is no text with separators." for key in idle])
