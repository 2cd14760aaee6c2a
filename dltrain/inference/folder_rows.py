"""Reads texts or images from a file, a folder or an archive, as training reads them, or from standard input."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from dltrain.base.errors import DataError
from dltrain.base.regular_file import read_regular
from dltrain.data import image_file, texts
from dltrain.data.archive import MOST_OF_A_FILE, is_archive
from dltrain.data.class_folders import choose_files, class_files
from dltrain.inference.rows import RawRows

ROWS_AT_ONCE = {"text": 1_024, "images": 256}


def folder_rows(
    location: Path | None, found: str, column: str, *, encoding: str | None, target: str | None
) -> Iterator[RawRows]:
    """Yields blocks of rows whose one column holds texts or the bytes of images.

    Args:
        location: A file, folder or archive; None is standard input, which is one text or image.
        found: text or images.
        column: The name of the column.
        encoding: The codec of texts; None detects it for each.
        target: The name of a column for the class, which the folders tell; None leaves it out.

    Raises:
        DataError: If a file cannot be opened, or is no text.
    """
    labels: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    if location is None:
        origin, files = "standard input", iter([("-", sys.stdin.buffer.read())])
    elif location.is_dir() or is_archive(location):
        nouns = {"text": ("text", texts.SUFFIXES), "images": ("image", image_file.SUFFIXES)}
        chosen = choose_files(location, *nouns[found])
        origin, files, notes = location.name, chosen.read(), tuple(chosen.notes())
        labels = dict(class_files(chosen).classes) if target else {}
    else:
        origin, files = location.name, _one(location)
    first = 0
    while some := list(itertools.islice(files, ROWS_AT_ONCE[found])):
        names = [name for name, _ in some]
        if found == "text":
            cells = pa.array([texts.read_text(content, name, encoding)[0] for name, content in some], pa.string())
        else:
            cells = [content for _, content in some]
        columns = {column: cells} | ({target: pa.array([labels.get(name) for name in names])} if target else {})
        yield RawRows(columns, first, origin, names, notes=notes)
        first += len(some)


def _one(file: Path) -> Iterator[tuple[str, bytes]]:
    try:
        yield file.name, file.read_bytes() if file.is_fifo() else read_regular(file, MOST_OF_A_FILE)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.") from None
