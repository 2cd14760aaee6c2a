"""Opens a table's file or standard input as a stream of bytes, unpacked if it is gzip or a zip of one file."""

from __future__ import annotations

import contextlib
import gzip
import io
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from dltrain.base.errors import DataError
from dltrain.data.source_file import GZIP_MAGIC, LEAST_UNPACKED, MOST_RATIO

ZIP_MAGIC = b"PK\x03\x04"
BUFFER = 1 << 20
PACKED = {".gz", ".zip"}
WORKBOOK = "xl/workbook.xml"  # what an Excel file, which is a zip too, has in it


@dataclass(frozen=True)
class Source:
    """A table's file, which can be opened again, or standard input, which cannot."""

    path: Path | None  # None for standard input

    @property
    def origin(self) -> str:
        """The name for messages."""
        return "standard input" if self.path is None else self.path.name

    @contextlib.contextmanager
    def open(self) -> Iterator[tuple[Any, str]]:
        """Opens an unpacked stream with a method `peek`, and tells the suffix of its name without .gz or .zip.

        Raises:
            DataError: If the file cannot be read, is damaged, or unpacks to more than the memory should hold.
        """
        with contextlib.ExitStack() as opened:
            stream, size = self._raw(opened)
            start = stream.peek(4)[:4]
            names = [] if self.path is None else [each.lower() for each in self.path.suffixes]
            suffix = next((each for each in reversed(names) if each not in PACKED), "")
            if start.startswith(GZIP_MAGIC) or (start and names[-1:] == [".gz"]):
                packed = cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
                stream = io.BufferedReader(_Checked(packed, self.origin, "gzip", size), BUFFER)
            elif start == ZIP_MAGIC and suffix not in {".npz", ".xlsx"}:
                file = opened.enter_context(seekable(stream))
                member = _member(file, self.origin)
                if member is None:
                    suffix, stream = ".xlsx", io.BufferedReader(cast("Any", file), BUFFER)
                else:
                    archive, entry = member
                    suffix = Path(entry).suffix.lower()
                    packed = opened.enter_context(archive.open(entry))
                    stream = io.BufferedReader(_Checked(packed, self.origin, "zip", size), BUFFER)
            if not stream.peek(1):
                raise DataError(f"{self.origin} is empty.")
            yield stream, suffix

    def _raw(self, opened: contextlib.ExitStack) -> tuple[Any, int]:
        if self.path is None:
            given: Any = sys.stdin.buffer
            return (given if hasattr(given, "peek") else io.BufferedReader(given, BUFFER)), 0
        try:
            return opened.enter_context(self.path.open("rb", buffering=BUFFER)), self.path.stat().st_size
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror}.") from None


@contextlib.contextmanager
def seekable(stream: Any) -> Iterator[IO[bytes]]:
    """Gives the same bytes as a file that can be read from its end, copied to disk if need be."""
    if stream.seekable() and not isinstance(getattr(stream, "raw", None), _Checked):
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy, BUFFER)
        copy.seek(0)
        yield copy


def _member(file: IO[bytes], origin: str) -> tuple[zipfile.ZipFile, str] | None:
    """Returns the one file in a zip, or None for an Excel file."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{origin} is not a complete zip file ({error}); is the download whole?") from None
    names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    if WORKBOOK in names:
        file.seek(0)
        return None
    tables = [name for name in names if not any(part[:1] in "._" for part in name.split("/"))]
    if len(tables) != 1:
        shown = ", ".join(tables[:5]) + (", …" if len(tables) > 5 else "")
        raise DataError(f"{origin} holds {len(tables)} files ({shown}); expected one table. Unpack it and name a file.")
    return archive, tables[0]


class _Checked(io.RawIOBase):
    """A stream that is unpacked while it is read, to at most a hundred times its size or a gibibyte."""

    def __init__(self, packed: IO[bytes], origin: str, kind: str, size: int) -> None:
        self.packed, self.origin, self.kind = packed, origin, kind
        # The size of standard input is not known, and its blocks are not kept.
        self.most = max(LEAST_UNPACKED, MOST_RATIO * size) if size else None
        self.done = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self.packed.read(len(buffer))
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
            raise DataError(
                f"{self.origin} is not a complete {self.kind} file ({error}); is the download whole?"
            ) from None
        self.done += len(content)
        if self.most is not None and self.done > self.most:
            raise DataError(
                f"{self.origin} unpacks to more than {self.most:,} bytes, a hundred times its size: no table is like "
                "that. Unpack it yourself if you trust it."
            )
        buffer[: len(content)] = content
        return len(content)
