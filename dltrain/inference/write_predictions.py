"""Writes predictions to a file or standard output, block by block, as CSV, Parquet or JSON lines."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from dltrain.base.errors import ConfigError, DataError
from dltrain.base.files import replace_file
from dltrain.base.printable import printable, printable_json
from dltrain.base.spreadsheet import neutral


def choose_format(output: str | None, asked: str | None) -> str:
    """Returns the requested format, else that of the file's suffix, else csv."""
    if asked is not None:
        return asked
    suffix = "" if output is None else Path(output).suffix.lower()
    return {".parquet": "parquet", ".pq": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}.get(suffix, "csv")


def write_tables(tables: Iterable[Any], output: str | None, file_format: str) -> None:
    """Writes Arrow tables of one schema; the file appears when the last one is written.

    There is at least one table; `output` is None for standard output; `file_format` is csv, parquet or jsonl.
    """
    if output is not None and Path(output).is_dir():
        raise ConfigError(f"--output {output} is a folder; expected a file.")
    if output is None and file_format == "parquet" and sys.stdout.isatty():
        raise ConfigError("Parquet is not text for a terminal; name a file with --output.")
    if output is None and file_format == "csv":
        tables = map(_printable, tables)
    with _sink(output) as sink:
        {"csv": _csv, "parquet": _parquet, "jsonl": _json_lines}[file_format](tables, sink)


@contextmanager
def _sink(output: str | None) -> Iterator[IO[bytes]]:
    if output is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with replace_file(Path(output)) as path, path.open("wb") as file:
            yield file
    except OSError as error:
        raise DataError(f"'{output}' cannot be written: {error.strerror or error}.") from error


def _csv(tables: Iterable[Any], sink: IO[bytes]) -> None:
    options = pa.csv.WriteOptions(quoting_style="needed")
    _write(map(_without_formulas, tables), lambda schema: pa.csv.CSVWriter(sink, schema, write_options=options))


def _without_formulas(table: Any) -> Any:
    return _spelled(table, neutral)


def _printable(table: Any) -> Any:
    return _spelled(table, printable)


def _spelled(table: Any, spell: Callable[[str], str]) -> Any:
    columns = [_spelled_cells(cells, spell) for cells in table.columns]
    return pa.table(columns, names=[spell(name) for name in table.column_names])


def _spelled_cells(cells: Any, spell: Callable[[str], str]) -> Any:
    if not pa.types.is_string(cells.type):
        return cells
    encoded = cells.combine_chunks().dictionary_encode()  # so that each distinct word is checked once
    words = pa.array([spell(word) for word in encoded.dictionary.to_pylist()], pa.string())
    return words.take(encoded.indices)


def _parquet(tables: Iterable[Any], sink: IO[bytes]) -> None:
    _write(tables, lambda schema: pa.parquet.ParquetWriter(sink, schema))


def _write(tables: Iterable[Any], writer_of: Callable[[Any], Any]) -> None:
    """Writes tables of one schema, at least one, with the Arrow writer that `writer_of` makes for the schema."""
    coming = iter(tables)
    first = next(coming)
    with writer_of(first.schema) as writer:
        for table in itertools.chain([first], coming):
            writer.write_table(table)


def _json_lines(tables: Iterable[Any], sink: IO[bytes]) -> None:
    for table in tables:
        keys = [json.dumps(name, ensure_ascii=False) for name in table.column_names]
        columns = [_json_cells(cells) for cells in table.columns]
        lines = (
            "{" + ", ".join(f"{key}: {cell}" for key, cell in zip(keys, row, strict=True)) + "}\n"
            for row in zip(*columns, strict=True)
        )
        sink.write(printable_json("".join(lines)).encode())


def _json_cells(cells: Any) -> list[str]:
    if pa.types.is_string(cells.type):
        return [json.dumps(cell, ensure_ascii=False) for cell in cells.to_pylist()]
    # Arrow writes the shortest digits that identify a number.
    return list(pc.cast(cells, pa.string()).fill_null("null").to_pylist())
