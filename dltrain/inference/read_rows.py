"""Reads rows from files or standard input block by block, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.data import source_file
from dltrain.data.read_table import read_blocks
from dltrain.data.reading import Reading
from dltrain.data.source_stream import Source
from dltrain.inference.rows import RawRows, table_rows

SUFFIXES = {
    ".txt": "text", ".png": "images", ".jpg": "images", ".jpeg": "images", ".bmp": "images", ".gif": "images",
}  # fmt: skip


def read_rows(
    path: str, *, file_format: str | None, reading: Reading, only_column: str, kind: str
) -> Iterator[RawRows]:
    """Reads the rows of a file or folder of texts or images, or of standard input (-).

    Args:
        path: The file, the folder, or -.
        file_format: text, images or a format of `read_blocks`; None goes by suffix and content.
        reading: How the training file was read.
        only_column: The name of the column that texts and images form.
        kind: text or image for a model of one such column, else table.

    Raises:
        ConfigError: If texts or images are given to a model that takes columns.
        DataError: If the input is missing or cannot be read.
    """
    location = None if path == "-" else _existing(path)
    found = file_format or _detect(location, kind)
    if found in ("text", "images"):
        if kind != {"text": "text", "images": "image"}[found]:
            raise ConfigError(
                f"This model takes columns, and '{path}' is read as {found}. Expected a table; --input-format says so "
                "where the suffix does not."
            )
        yield from _files(location, found, only_column)
    elif location is not None and location.is_dir():
        raise DataError(f"'{path}' is a folder; expected a file with a table.")
    else:
        folder = Path() if location is None else location.parent
        for block in read_blocks(Source(location), reading, found):
            yield table_rows(block, folder)


def _existing(path: str) -> Path:
    given = Path(path).expanduser()
    if not given.exists():
        beside = [entry.name for entry in given.parent.iterdir()] if given.parent.is_dir() else []
        raise DataError(f"--input: there is no '{path}'.{did_you_mean(given.name, beside) if beside else ''}")
    return given


def _detect(location: Path | None, kind: str) -> str | None:
    """Tells texts and images by their suffix; None for a table."""
    if location is None:
        return None
    if location.is_dir():
        return "text" if kind == "text" else "images"
    suffixes = [suffix.lower() for suffix in location.suffixes if suffix.lower() != ".gz"]
    found = SUFFIXES.get(suffixes[-1]) if suffixes else None
    # Tables are often kept as .txt; only a model of texts alone can use a single text.
    return None if found == "text" and kind != "text" else found


def _files(location: Path | None, found: str, column: str) -> Iterator[RawRows]:
    if location is None:
        with Source(None).open() as (stream, _):
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
