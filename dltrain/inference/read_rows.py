"""Reads rows from files or standard input block by block, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dltrain.base.errors import ConfigError, DataError
from dltrain.base.regular_file import find
from dltrain.data import image_file, texts
from dltrain.data.archive import is_archive, list_names
from dltrain.data.read_table import read_blocks
from dltrain.data.reading import Reading
from dltrain.data.separators import separator_name
from dltrain.data.source_stream import Source
from dltrain.inference.folder_rows import folder_rows
from dltrain.inference.rows import RawRows, table_rows

SUFFIXES = dict.fromkeys(texts.SUFFIXES, "text") | dict.fromkeys(image_file.SUFFIXES, "images")


def read_rows(
    path: str, *, file_format: str | None, reading: Reading, only_column: str, kind: str, target: str | None = None
) -> Iterator[RawRows]:
    """Reads the rows of a file or folder of texts or images, or of standard input (-).

    Args:
        path: The file, the folder, or -.
        file_format: text, images or a format of `read_blocks`; None goes by suffix and content.
        reading: How the training file was read.
        only_column: The name of the column that texts and images form.
        kind: text or image for a model of one such column, else table.
        target: The name of the column for the classes that the folders of texts and images tell; None leaves it out.

    Raises:
        ConfigError: If texts or images are given to a model that takes columns.
        DataError: If the input is missing or cannot be read.
    """
    location = None if path == "-" else find(path, key="--input", expected="file or folder", folder=True, stream=True)
    found = file_format or _detect(location, kind)
    if found in ("text", "images"):
        if kind != {"text": "text", "images": "image"}[found]:
            raise ConfigError(
                f"This model takes columns, and '{path}' is read as {found}. Expected a table; --input-format says so "
                "where the suffix does not."
            )
        yield from folder_rows(location, found, only_column, encoding=reading.encoding, target=target)
    elif location is not None and location.is_dir():
        raise DataError(f"'{path}' is a folder; expected a file with a table.")
    else:
        folder = Path() if location is None else location.parent
        for block in read_blocks(Source(location), reading, found):
            yield replace(table_rows(block, folder), notes=_another_separator(block.separator, reading))


def _another_separator(found: str | None, reading: Reading) -> tuple[str, ...]:
    """Tells of a detected separator that is not that of the training data."""
    likely = reading.likely_separator
    if reading.separator is not None or found is None or likely is None or found == likely:
        return ()
    return (f"separator: {separator_name(found)}; that of the training data is {separator_name(likely)}.",)


def _detect(location: Path | None, kind: str) -> str | None:
    """Tells texts and images by their suffix; None for a table."""
    if location is None:
        return None
    if location.is_dir() or (kind == "image" and is_archive(location)):
        return "text" if kind == "text" else "images"
    if kind == "text" and is_archive(location):  # of texts, or a .zip with a table
        return "text" if any(name.lower().endswith(texts.SUFFIXES) for name in list_names(location)) else None
    suffixes = [suffix.lower() for suffix in location.suffixes if suffix.lower() != ".gz"]
    found = SUFFIXES.get(suffixes[-1]) if suffixes else None
    # Tables are often kept as .txt; only a model of texts alone can use a single text.
    return None if found == "text" and kind != "text" else found
