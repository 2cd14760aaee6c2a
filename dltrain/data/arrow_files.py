"""Reads Parquet and Feather in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from dltrain.base.errors import DataError
from dltrain.data.raw_table import RawTable, check_names, from_columns
from dltrain.data.reading import Reading
from dltrain.data.source_stream import Source, seekable
from dltrain.data.text_column import MOST_IN_MEMORY

LEAST_ROWS = 1024
TEXT_AT_ONCE = 2**26  # bytes, of a table with much text


def parquet_blocks(source: Source, stream: Any, reading: Reading) -> Iterator[RawTable]:
    """Yields the rows of a Parquet file; an index that pandas saved is an ordinary column."""
    with seekable(stream) as file:
        try:
            # Arrow reads a file that it opens itself with several threads.
            parquet = pa.parquet.ParquetFile(source.path if file is stream and source.path else file)
            names = parquet.schema_arrow.names
            check_names(names, origin=source.origin)
            if not parquet.metadata.num_rows:
                raise DataError(f"{source.origin} has no rows.")
            at_once = reading.bytes_at_once
            letters, most = _bytes_of_text(parquet), parquet.metadata.num_rows
            if at_once is None and letters > MOST_IN_MEMORY:
                rows = max(LEAST_ROWS, most * TEXT_AT_ONCE // letters)
                yield from _blocks(parquet.iter_batches(rows, columns=_wanted(names, reading)), source, reading)
            elif at_once is None:
                # Column by column, which takes the least time and memory.
                named = ((name, parquet.read([name]).column(name)) for name in names if reading.wants(name))
                yield from_columns(named, origin=source.origin)
            else:
                rows = rows_at_once(at_once, len(names))
                yield from _blocks(parquet.iter_batches(rows), source, reading)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unreadable(source, "Parquet", error) from None


def _wanted(names: list[str], reading: Reading) -> list[str]:
    return [name for name in names if reading.wants(name)]


def _bytes_of_text(parquet: pa.parquet.ParquetFile) -> int:
    """Returns the bytes that the columns of text take in a file without compression."""
    found = parquet.metadata
    groups = (found.row_group(place) for place in range(found.num_row_groups))
    columns = (group.column(place) for group in groups for place in range(group.num_columns))
    return sum(column.total_uncompressed_size for column in columns if column.physical_type == "BYTE_ARRAY")


def feather_blocks(source: Source, stream: Any, reading: Reading) -> Iterator[RawTable]:
    """Yields the rows of a Feather file, which is Arrow's own format."""
    with seekable(stream) as file:
        try:
            table = pa.feather.read_table(file)
            check_names(table.column_names, origin=source.origin)
            rows = None if reading.bytes_at_once is None else rows_at_once(reading.bytes_at_once, table.num_columns)
            yield from _blocks(table.to_batches(rows), source, reading)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unreadable(source, "Feather", error) from None


def rows_at_once(size: int, columns: int) -> int:
    """Returns the rows of a block of about so many bytes; small blocks of Parquet take several times as long."""
    return max(LEAST_ROWS, size // max(1, columns))


def _blocks(batches: Any, source: Source, reading: Reading) -> Iterator[RawTable]:
    done = 0
    for batch in batches:
        if len(batch):
            named = ((name, batch.column(place)) for place, name in enumerate(batch.schema.names))
            wanted = ((name, cells) for name, cells in named if reading.wants(name))
            yield from_columns(wanted, origin=source.origin, first=done)
        done += len(batch)
    if not done:
        raise DataError(f"{source.origin} has no rows.")


def _unreadable(source: Source, what: str, error: Exception) -> DataError:
    reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    return DataError(f"{source.origin} cannot be read as {what}: {reason}.")
