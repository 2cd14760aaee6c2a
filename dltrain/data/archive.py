"""Reads the files of a folder, .zip or .tar without unpacking them, so that no member's name can escape a folder."""

from __future__ import annotations

import contextlib
import gzip
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar, cast

from dltrain.base.errors import DataError
from dltrain.base.regular_file import read_regular

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
BLOCK = 1 << 20
MOST_OF_A_FILE = 2**28  # no picture and no text is as large
# An archive of any size may unpack to a hundred times as much, as text does, and a small one to this.
MOST_UNPACKED = 2**32
MOST_RATIO = 100
# zipfile raises RuntimeError for an encrypted member and NotImplementedError, which is one, for an unknown compression.
DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError)

Entry = tuple[str, Callable[[], bytes]]
Found = TypeVar("Found")


def is_archive(location: Path) -> bool:
    """Tells by the suffix whether a path names an archive."""
    return location.name.lower().endswith(SUFFIXES)


def stem(location: Path) -> str:
    """Returns the name of a folder, or of an archive without its suffixes: `pets` for `pets.tar.gz`."""
    name = location.name
    suffix = next((each for each in sorted(SUFFIXES, key=len, reverse=True) if name.lower().endswith(each)), "")
    return name if location.is_dir() else name.removesuffix(name[len(name) - len(suffix) :])


def list_names(location: Path) -> list[str]:
    """Returns the names of all files, and of folders with a slash at their end, in the order of `read_files`.

    Raises:
        DataError: As `read_files`.
    """
    return [name for name, _ in _told(location, _entries(location))]


def read_files(location: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yields name and content of the wanted files: those of a folder or .zip by name, of a .tar as they stand in it.

    `location` is a folder, a .zip, a .tar or a .tar.gz; `wanted` is asked with each name, its folders separated by
    slashes. Links to folders are followed.

    Raises:
        DataError: If it is no archive or damaged, a file cannot be opened, or it unpacks to more than the memory should
            hold.
    """
    entries = _entries(location)
    yield from _told(location, ((name, read()) for name, read in entries if not name.endswith("/") and wanted(name)))


def _told(location: Path, entries: Iterator[Found]) -> Iterator[Found]:
    """Yields the entries; what goes wrong meanwhile becomes a DataError."""
    try:
        yield from entries
    except DAMAGED as error:
        if location.is_dir():
            path, reason = getattr(error, "filename", location), getattr(error, "strerror", error)
            raise DataError(f"Cannot read {path}: {reason}.") from None
        kind = ".zip" if zipfile.is_zipfile(location) else ".tar or .tar.gz"
        raise DataError(
            f"Cannot read {location} as a {kind} archive: {error}. If it was cut short, fetch it again."
        ) from None


def _entries(location: Path) -> Iterator[Entry]:
    if location.is_dir():
        return _of_folder(location, "", frozenset())
    return _of_zip(location) if zipfile.is_zipfile(location) else _of_tar(location)


def _of_folder(folder: Path, prefix: str, around: frozenset[tuple[int, int]]) -> Iterator[Entry]:
    found = folder.stat()
    key = (found.st_dev, found.st_ino)
    if key in around:  # a link leads back to a folder that holds it
        return
    with os.scandir(folder) as entries:
        inside = sorted(entries, key=lambda entry: entry.name)
    for entry in inside:
        path, name = folder / entry.name, prefix + _utf8(entry.name)
        if entry.is_dir():
            yield name + "/", bytes
            yield from _of_folder(path, name + "/", around | {key})
        else:
            yield name, lambda path=path: read_regular(path, MOST_OF_A_FILE)  # type: ignore[misc]


def _of_zip(path: Path) -> Iterator[Entry]:
    limit, unpacked = _limit(path), 0

    with zipfile.ZipFile(path) as archive:

        def read(member: zipfile.ZipInfo) -> bytes:
            nonlocal unpacked
            unpacked += member.file_size
            _check_size(path, member.filename, member.file_size, unpacked, limit)
            return archive.read(member)

        for member in sorted(archive.infolist(), key=_zip_name):
            yield _zip_name(member), lambda member=member: read(member)  # type: ignore[misc]


def _zip_name(member: zipfile.ZipInfo) -> str:
    name = member.filename
    if not member.flag_bits & 0x800:  # its encoding is not told: macOS writes UTF-8, and Python takes it for cp437
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return name.replace("\\", "/")  # which old versions of Windows write


def _of_tar(path: Path) -> Iterator[Entry]:
    limit = _limit(path)
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if compressed else raw
        with tarfile.open(fileobj=stream, mode="r|") as archive:

            def read(member: tarfile.TarInfo) -> bytes:
                _check_size(path, member.name, member.size, 0, limit)
                content = archive.extractfile(member)
                return content.read() if content else b""

            for member in archive:
                _check_size(path, member.name, 0, archive.offset, limit)
                if member.isfile() or member.isdir():
                    name = _utf8(member.name) + "/" * member.isdir()
                    yield name, lambda member=member: read(member)  # type: ignore[misc]
        # gzip verifies its checksum only at its own end, which is behind the end of the archive.
        while stream.read(BLOCK):
            _check_size(path, "what follows its end", 0, stream.tell(), limit)


def _limit(path: Path) -> int:
    return max(MOST_UNPACKED, MOST_RATIO * path.stat().st_size)


def _check_size(path: Path, name: str, size: int, unpacked: int, limit: int) -> None:
    if size > MOST_OF_A_FILE:
        raise DataError(f"{path}: {name} has {size:,} bytes, and at most {MOST_OF_A_FILE:,} are read of a file.")
    if unpacked > limit:
        raise DataError(f"{path} unpacks to more than {limit:,} bytes, a hundred times its size. Unpack it yourself.")


def _utf8(name: str) -> str:
    """Returns a file's name with an escape for each byte that is no UTF-8, so that it can be written."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
