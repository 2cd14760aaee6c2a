"""Reads a table with separators block by block, or as a whole if it cannot be read in blocks."""

from __future__ import annotations

import csv
import io
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from dltrain.base.errors import DataError
from dltrain.data import source_file
from dltrain.data.delimited import SEPARATORS, WHITESPACE, detect_separator
from dltrain.data.missing_cells import WORDS
from dltrain.data.raw_table import check_names
from dltrain.data.read_table import read_table
from dltrain.inference.rows import ROWS, RawRows, sliced

SAMPLE = 1 << 20  # bytes that are read at a time, and that separator and encoding are detected from


def delimited(stream: Any, location: Path | None, origin: str, reading: Mapping[str, Any]) -> Iterator[RawRows]:
    """Reads the rows of a table with separators.

    `stream` has a method `peek`; `location` is None for standard input; `origin` is its name for messages. `reading`
    may hold separator, encoding, header and missing_values; what is missing is detected.
    """
    try:
        sample = stream.peek(SAMPLE)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{origin} is no complete gzip file: {error}.") from None
    if not sample:
        raise DataError(f"{origin} is empty.")
    encoding = reading.get("encoding") or _encoding(sample)
    text = sample.decode(encoding, errors="replace").removeprefix("\ufeff")
    separator = reading.get("separator")
    mark = SEPARATORS.get(separator, separator) if separator else detect_separator(text)
    if mark == WHITESPACE or f'{mark} "' in text:
        # The block reader cannot parse runs of blanks, nor quotes after a blank.
        return whole_table(stream, location, origin, ".csv", {**reading, "encoding": encoding})
    header = reading.get("header", True)
    first = next(csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True), [])
    names = [name.strip() or f"column_{place}" for place, name in enumerate(first, start=1)]
    if not header:
        names = [f"column_{place}" for place in range(1, len(first) + 1)]
    check_names(names, origin=origin)
    return _arrow_csv(stream, origin, names, mark, encoding, bool(header), reading.get("missing_values", []))


def _arrow_csv(
    stream: Any, origin: str, names: list[str], mark: str, encoding: str, header: bool, missing: Iterable[str]
) -> Iterator[RawRows]:
    done = 0
    try:
        reader = pa.csv.open_csv(
            stream,
            # With a single thread errors tell the row, and the model needs the other cores.
            pa.csv.ReadOptions(
                use_threads=False,
                block_size=SAMPLE,
                column_names=names,
                skip_rows_after_names=int(header),
                encoding=encoding.replace("utf-8-sig", "utf-8"),
            ),
            pa.csv.ParseOptions(delimiter=mark, newlines_in_values=True),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=[*WORDS, *map(str, missing)],
            ),
        )
        for batch in reader:
            if len(batch):
                yield RawRows(dict(zip(names, batch.columns, strict=True)), done, origin)
            done += len(batch)
    except (pa.ArrowException, UnicodeError, EOFError, OSError, zlib.error) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise DataError(f"{origin} cannot be read as a table after row {done}: {reason}.") from None
    if not done:
        raise DataError(f"{origin} has a header and no rows.")


def _encoding(sample: bytes) -> str:
    marked = next((codec for mark, codec in source_file.BYTE_ORDER_MARKS if sample.startswith(mark)), None)
    if marked is not None:
        return marked
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        # The sample may end within a character.
        return "utf-8" if error.start >= len(sample) - 4 and len(sample) > 4 else "cp1252"
    return "utf-8"


def whole_table(
    stream: Any, location: Path | None, origin: str, suffix: str, reading: Mapping[str, Any]
) -> Iterator[RawRows]:
    """Reads the rows of a table that cannot be read in blocks.

    `suffix` tells the kind of file; the other arguments are those of `delimited`.
    """
    options = {key: reading[key] for key in ("separator", "encoding", "header", "missing_values") if key in reading}
    if location is not None:
        table = read_table(str(location.absolute()), **options)
    else:
        with tempfile.NamedTemporaryFile(suffix=suffix) as copy:
            while content := stream.read(SAMPLE):
                copy.write(content)
            copy.flush()
            table = read_table(copy.name, **options)
    whole = RawRows({name: cells.combine_chunks() for name, cells in table.columns.items()}, 0, origin)
    yield from sliced(whole, ROWS)
