"""Reads rows from files or standard input block by block, so that memory does not grow with their number."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.data import source_file
from dltrain.inference.delimited_rows import SAMPLE, delimited, whole_table
from dltrain.inference.rows import ROWS, RawRows, fault_of, to_arrow

SUFFIXES = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet", ".arff": "arff",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "text", ".png": "images", ".jpg": "images", ".jpeg": "images",
    ".bmp": "images", ".gif": "images",
}  # fmt: skip
EXPECTED = "expected an object of column and value"


def read_rows(
    path: str, *, file_format: str | None, reading: Mapping[str, Any], only_column: str, kind: str
) -> Iterator[RawRows]:
    """Reads the rows of a file or folder of texts or images, or of standard input (-).

    Args:
        path: The file, the folder, or -.
        file_format: csv, tsv, parquet, arff, jsonl, text or images; None goes by suffix and content.
        reading: How the training file was read: separator, encoding, header, missing_values.
        only_column: The name of the column that texts and images form.
        kind: text or image for a model of one such column, else table.

    Raises:
        ConfigError: If texts or images are given to a model that takes columns.
        DataError: If the input is missing or cannot be read.
    """
    location = None if path == "-" else _existing(path)
    with contextlib.ExitStack() as opened:
        stream = _peekable(sys.stdin.buffer, opened) if location is None else _peekable(location, opened)
        found = file_format or _detect(location, stream, kind)
        if found in ("text", "images") and kind != {"text": "text", "images": "image"}[found]:
            raise ConfigError(
                f"This model takes columns, and '{path}' is read as {found}. Expected a table; --input-format says so "
                "where the suffix does not."
            )
        origin = "standard input" if location is None else location.name
        if found in ("text", "images"):
            blocks = _files(location, stream, found, only_column)
        elif location is not None and location.is_dir():
            raise DataError(f"'{path}' is a folder; expected a file with a table.")
        elif found == "parquet":
            blocks = _parquet(stream, location, origin)
        elif found == "jsonl":
            blocks = _json_lines(stream, origin)
        elif found == "arff":
            blocks = whole_table(stream, location, origin, ".arff", {})
        else:
            separator = {"separator": "tab"} if found == "tsv" else {}
            blocks = delimited(stream, location, origin, {**reading, **separator})
        folder = Path() if location is None else location.parent
        yield from (replace(block, folder=folder) for block in blocks)


def _existing(path: str) -> Path:
    given = Path(path).expanduser()
    if not given.exists():
        beside = [entry.name for entry in given.parent.iterdir()] if given.parent.is_dir() else []
        raise DataError(f"--input: there is no '{path}'.{did_you_mean(given.name, beside) if beside else ''}")
    return given


def _peekable(source: Path | IO[bytes], opened: contextlib.ExitStack) -> Any:
    """Opens a stream with a method `peek`, decompressed if it is gzip."""
    stream: Any = source
    if isinstance(source, Path):
        if source.is_dir():
            return io.BytesIO()
        try:
            stream = opened.enter_context(source.open("rb", buffering=SAMPLE))
        except OSError as error:
            raise DataError(f"{source} cannot be read: {error.strerror}.") from None
    elif not hasattr(source, "peek"):
        stream = io.BufferedReader(cast("Any", source), SAMPLE)
    if stream.peek(2)[:2] == source_file.GZIP_MAGIC:
        return io.BufferedReader(cast("Any", gzip.GzipFile(fileobj=stream)), SAMPLE)
    return stream


def _detect(location: Path | None, stream: Any, kind: str) -> str:
    if location is not None:
        if location.is_dir():
            return "text" if kind == "text" else "images"
        suffixes = [suffix.lower() for suffix in location.suffixes if suffix.lower() != ".gz"]
        by_suffix = SUFFIXES.get(suffixes[-1]) if suffixes else None
        # Tables are often kept as .txt; only a model of texts alone can use a single text.
        if by_suffix is not None and not (by_suffix == "text" and kind != "text"):
            return by_suffix
    start = stream.peek(16)
    if start.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if start.lstrip().startswith(b"{") else "csv"


def _parquet(stream: Any, location: Path | None, origin: str) -> Iterator[RawRows]:
    with tempfile.TemporaryFile() as copy:
        if location is None:  # Parquet is read from its end, which a stream does not allow
            while content := stream.read(SAMPLE):
                copy.write(content)
            copy.seek(0)
        done = 0
        try:
            file = pa.parquet.ParquetFile(copy if location is None else location)
            for batch in file.iter_batches(ROWS):
                columns = {name: to_arrow(batch.column(place)) for place, name in enumerate(batch.schema.names)}
                yield RawRows(columns, done, origin)
                done += len(batch)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
            raise DataError(f"{origin} cannot be read as Parquet: {reason}.") from None
    if not done:
        raise DataError(f"{origin} has no rows.")


def _json_lines(stream: Any, origin: str) -> Iterator[RawRows]:
    rows: list[dict[str, Any]] = []
    names: list[str] = []
    done = 0
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{origin} line {number} is no JSON: {error}.") from None
        except RecursionError:
            raise DataError(f"{origin} line {number} is nested too deeply; {EXPECTED}.") from None
        if not isinstance(row, dict):
            raise DataError(f"{origin} line {number}: {EXPECTED}, got {line[:40]!r}.")
        for name, cell in row.items():
            if fault := fault_of(cell):
                raise DataError(f"{origin} row {done + len(rows) + 1} (line {number}), column '{name}': {fault}.")
        names = names or list(row)
        absent = [name for name in names if name not in row]
        if absent:
            raise DataError(f"{origin} line {number} has no '{absent[0]}'; null stands for a missing value.")
        rows.append(row)
        if len(rows) == ROWS:
            yield _row_block(rows, names, done, origin)
            done += len(rows)
            rows = []
    if rows:
        yield _row_block(rows, names, done, origin)
    elif not done:
        raise DataError(f"{origin} has no rows.")


def _row_block(rows: list[dict[str, Any]], names: list[str], first: int, origin: str) -> RawRows:
    columns = {}
    for name in names:
        cells = [row[name] for row in rows]
        nested = [isinstance(cell, (list, dict)) for cell in cells]
        if any(nested):  # single values among them would make words of all; the model takes none of it
            cells = [cell if several else None for cell, several in zip(cells, nested, strict=True)]
        try:
            columns[name] = to_arrow(cells)
        except (OverflowError, UnicodeError):  # inside of a list or an object
            where = f"{origin} rows {first + 1} to {first + len(rows)}, column '{name}'"
            raise DataError(f"{where}: a list holds a number beyond 64 bits or half a character.") from None
    return RawRows(columns, first, origin)


def _files(location: Path | None, stream: Any, found: str, column: str) -> Iterator[RawRows]:
    if location is None:
        content = stream.read()
        cells = [_text(content, "standard input")] if found == "text" else [content]
        yield RawRows({column: pa.array(cells) if found == "text" else cells}, 0, "standard input", ["-"])
        return
    wanted = {suffix for suffix, kind in SUFFIXES.items() if kind == found}
    files = [location]
    if location.is_dir():
        files = sorted(file for file in location.rglob("*") if file.suffix.lower() in wanted and file.is_file())
    if not files:
        raise DataError(f"The folder '{location}' has no file that ends with {', '.join(sorted(wanted))}.")
    rows = 256 if found == "images" else 1024
    for start in range(0, len(files), rows):
        some = files[start : start + rows]
        names = [file.relative_to(location).as_posix() if location.is_dir() else file.name for file in some]
        try:
            contents = [file.read_bytes() for file in some]
        except OSError as error:
            raise DataError(f"{error.filename} cannot be read: {error.strerror}.") from None
        if found == "text":
            texts = [_text(content, name) for content, name in zip(contents, names, strict=True)]
            yield RawRows({column: pa.array(texts)}, start, location.name, names)
        else:
            yield RawRows({column: contents}, start, location.name, names)


def _text(content: bytes, origin: str) -> str:
    return source_file.decode(content, origin=origin, encoding=None)[0]
