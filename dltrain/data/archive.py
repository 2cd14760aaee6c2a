"""Reads the files of a folder, .zip or .tar without unpacking them, so that no member's name can escape a folder."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from dltrain.base.errors import DataError
from dltrain.data.storage import read_tar


def read_files(location: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yields name and content of the wanted files, in no particular order.

    `location` is a folder, a .zip, a .tar or a .tar.gz; `wanted` is asked with each name, its folders separated by
    slashes.

    Raises:
        DataError: If it is no archive or damaged, or a file cannot be opened.
    """
    if location.is_dir():
        yield from _read_folder(location, wanted)
    elif zipfile.is_zipfile(location):
        yield from _read_zip(location, wanted)
    else:
        yield from read_tar(location, wanted)


def _read_folder(folder: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    for place, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            if wanted(relative):
                try:
                    yield relative, path.read_bytes()
                except OSError as error:
                    raise DataError(f"Cannot read {path}: {error.strerror}.") from None


def _read_zip(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.is_dir() and wanted(member.filename):
                    yield member.filename, archive.read(member)
    # zipfile raises RuntimeError for an encrypted member and NotImplementedError for an unknown compression.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
        raise DataError(f"Cannot read {path} as a .zip archive: {error}.") from None
