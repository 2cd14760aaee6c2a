"""Reads text with separators (CSV, TSV, space-separated) in blocks, with the same number of fields in each line."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pyarrow.csv

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.raw_table import RawTable, check_names
from dltrain.data.reading import Reading
from dltrain.data.record_ends import last_end, record_lines
from dltrain.data.separators import QUOTES, WHITESPACE, detect_separator, plain_lines, separator_mark, separator_name
from dltrain.data.source_stream import Source
from dltrain.data.text_stream import detect_encoding, utf8_chunks

LARGE = 1 << 24  # bytes that are read at once of a table that is wanted as a whole
SAMPLE = 1 << 20  # bytes that the separator is detected from
LONGEST_RECORD = 1 << 26  # bytes; a longer one is a quote that is never closed
ROWS_AT_ONCE = 10_000


def blocks(source: Source, stream: Any, reading: Reading) -> Iterator[RawTable]:
    """Yields the rows of a table in blocks.

    Without a header, columns are named column_1, column_2, …; `stream` is that of `source`, with a method `peek`.

    Raises:
        ConfigError: If the separator is no single character or known name.
        DataError: If a line has more or fewer fields than the first, a quote stays open, two columns have the same
            name, or there is no row.
    """
    origin = source.origin
    encoding, notes = reading.encoding, tuple[str, ...]()
    if encoding is None:
        encoding, notes = detect_encoding(source, stream.peek(4)[:4])
    guess = reading.encoding is None and source.path is None
    chunks = utf8_chunks(stream, origin=origin, encoding=encoding, size=reading.bytes_at_once or LARGE, guess=guess)
    start = next(chunks, b"")
    for chunk in chunks:
        if len(start) >= SAMPLE:
            chunks = itertools.chain([chunk], chunks)
            break
        start += chunk
    sample = start[:SAMPLE].decode(errors="ignore")
    if not sample.strip():
        raise DataError(f"{origin} is empty.")
    quotes = _quotes(reading.quoting)
    if reading.separator is None:
        mark = detect_separator(sample, quotes, likely=reading.likely_separator)
    else:
        mark = separator_mark(reading.separator)
    first, header_lines = _first_record(start, mark, origin, quotes)
    if reading.header:
        names = [normalize("NFC", name.strip()) or f"column_{position}" for position, name in enumerate(first, start=1)]
        check_names(names, origin=origin)
    else:
        names, header_lines = [f"column_{position}" for position in range(1, len(first) + 1)], 0
    if reading.separator is None:
        notes = (*notes, f"separator: {separator_name(mark)}, {len(names)} columns.")
    parser = _Parser(origin, names, mark, reading)
    done = 0
    for block in parser.blocks(itertools.chain([start], chunks), header_lines):
        yield replace(block, notes=notes, first=done, separator=mark)
        done, notes = done + len(block), ()
    if not done:
        raise DataError(f"{origin} has a header and no rows.")


class _Parser:
    """Parses chunks of UTF-8: with Arrow where it reads a chunk as the csv module does, else with the csv module."""

    def __init__(self, origin: str, names: Sequence[str], mark: str, reading: Reading) -> None:
        self.origin, self.names, self.mark, self.reading = origin, names, mark, reading
        self.quotes = _quotes(reading.quoting)
        self.wanted = [name for name in names if reading.wants(name)]

    def blocks(self, chunks: Iterator[bytes], skip: int) -> Iterator[RawTable]:
        """Yields a block for each chunk, after so many lines that are skipped."""
        rest, line = b"", 1
        # Arrow takes an empty line of a table with one column for a row.
        plain = self.mark != WHITESPACE and len(self.names) > 1 and self.mark.isascii()
        plain &= self.quotes == QUOTES["double"]
        for chunk in itertools.chain(chunks, [None]):
            content = rest if chunk is None else rest + chunk if rest else chunk
            if skip:
                content, line, skip = _after_lines(content, skip), line + skip, 0
            end = last_end(content, self.mark.encode(), final=chunk is None) if plain else None
            if end is None or len(content) - end > LONGEST_RECORD:
                left = [content] if chunk is None else itertools.chain([content], chunks)
                yield from self._with_csv(left, line)
                return
            rest = content[end:]
            if end:
                records = content[:end]
                yield from self._with_arrow(records, line)
                line += records.count(b"\n")

    def _with_arrow(self, records: bytes, line: int) -> Iterator[RawTable]:
        try:
            table = pa.csv.read_csv(
                pa.py_buffer(records),
                pa.csv.ReadOptions(column_names=self.names, block_size=max(SAMPLE, len(records) // 8)),
                pa.csv.ParseOptions(
                    delimiter=self.mark,
                    newlines_in_values=b'"' in records,
                    invalid_row_handler=lambda row: "error" if row.text.strip(" \r\n") else "skip",
                ),
                pa.csv.ConvertOptions(
                    include_columns=self.wanted,
                    column_types=dict.fromkeys(self.names, pa.string()),
                    strings_can_be_null=True,
                    null_values=[""],
                ),
            )
        except pa.ArrowException:
            # The csv module tells the line of a fault.
            yield from self._with_csv([records], line)
            return
        if len(table):
            columns = {name: self.reading.written(name, table.column(name)) for name in self.wanted}
            yield RawTable(self.origin, columns, line + record_lines(records, len(table)))

    def _with_csv(self, chunks: Any, line: int) -> Iterator[RawTable]:
        records = _records(_text_lines(chunks, self.mark), self.mark, self.origin, line, self.quotes)
        width = len(self.names)
        while some := list(islice(records, ROWS_AT_ONCE)):
            for start, fields in some:
                if len(fields) != width:
                    raise DataError(
                        f"{self.origin} line {start}: expected {width} fields as in the "
                        f"first line, got {len(fields)} (separator: {separator_name(self.mark)}). "
                        "A value that holds the separator has to be in quotes."
                    )
            cells = dict(zip(self.names, zip(*(fields for _, fields in some), strict=True), strict=True))
            columns = {
                name: self.reading.written(name, pa.chunked_array([pa.array(_present(cells[name]), pa.string())]))
                for name in self.wanted
            }
            yield RawTable(self.origin, columns, np.array([start for start, _ in some], dtype=np.int64))


def _present(cells: Sequence[str]) -> list[str | None]:
    return [cell or None for cell in cells]


def _first_record(content: bytes, mark: str, origin: str, quotes: Mapping[str, Any]) -> tuple[list[str], int]:
    """Returns the fields of the first record that is not empty, and the number of lines up to its end."""
    counted = itertools.count()
    lines = (line for line, _ in zip(_text_lines([content], mark), counted, strict=False))
    _, fields = next(_records(lines, mark, origin, 1, quotes))
    return fields, next(counted)


def _after_lines(content: bytes, lines: int) -> bytes:
    """Returns what comes after so many lines."""
    text = io.StringIO(content.decode(), newline="")
    return content[len("".join(islice(text, lines)).encode()) :]


def _records(
    lines: Iterator[str], mark: str, origin: str, line: int, quotes: Mapping[str, Any]
) -> Iterator[tuple[int, list[str]]]:
    """Yields each record with the line where it starts; `line` is that of the first."""
    # The default limit of 131,072 characters guards streams.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_RECORD))
    reader = csv.reader(lines, delimiter=mark, skipinitialspace=True, strict=True, **quotes)
    start = line
    try:
        for fields in reader:
            if fields:
                yield start, fields
            start = line + reader.line_num
    except csv.Error as error:
        raise DataError(f"{origin} line {start}: {_fault(str(error), quotes)}") from None


def _fault(told: str, quotes: Mapping[str, Any]) -> str:
    """Says in our words what the csv module says of a record."""
    quote, as_text = quotes["quotechar"], "If quotes are text here: dataset.quoting=none."
    if "unexpected end" in told or "field limit" in told:
        return f"a quote ({quote}) is opened and never closed. {as_text}"
    if "expected after" in told:
        return (
            f"text follows the quote ({quote}) at the end of a field. A quote within a field has to be doubled. "
            f"{as_text}"
        )
    if "new-line" in told:
        return "expected each line to end alike, got one that ends with a carriage return alone."
    return f"cannot be read: {told}."


def _quotes(quoting: str | None) -> Mapping[str, Any]:
    if quoting is not None and quoting not in QUOTES:
        raise ConfigError(f"dataset.quoting: expected {', '.join(QUOTES)}, got '{quoting}'.")
    return QUOTES[quoting or "double"]


def _text_lines(chunks: Any, mark: str) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        content = rest + chunk
        end = content.rfind(b"\n") + 1
        yield from plain_lines(io.StringIO(content[:end].decode(), newline=""), mark)
        rest = content[end:]
    yield from plain_lines(io.StringIO(rest.decode(), newline=""), mark)
