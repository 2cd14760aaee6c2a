"""Keeps the data directory: atomic files, checked downloads, and parsed data as Parquet."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import logging
import mmap
import os
import shutil
import tempfile
import urllib.error
import urllib.request
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import platformdirs
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

from dltrain.base.console import PrintableConsole
from dltrain.base.errors import DataError
from dltrain.base.files import replace_file

logger = logging.getLogger(__name__)

BLOCK = 1 << 20
TIMEOUT_SECONDS = 30


def data_directory() -> Path:
    """Returns the folder for downloads and parsed data, which need not exist yet.

    It is the folder in the environment variable `DLTRAIN_DATA_DIR`, else the user's cache directory.

    Raises:
        DataError: If that is to be in the user's home, and the system knows of none.
    """
    chosen = os.environ.get("DLTRAIN_DATA_DIR")
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        return Path(platformdirs.user_cache_dir("dltrain", appauthor=False))
    except RuntimeError:
        raise DataError(
            "There is no home directory for the data that dltrain keeps; name a folder in the environment variable "
            "DLTRAIN_DATA_DIR."
        ) from None


def data_directories() -> list[Path]:
    """Returns the data directory in a list, which is empty if the user has no home."""
    try:
        return [data_directory()]
    except DataError:
        return []


def nameless_file() -> tuple[IO[bytes], int]:
    """Opens a file without a name in the data directory, and returns it with the number of free bytes there.

    It is gone once it is closed and no array maps it. Without a data directory it is in the system's folder for
    temporary files, which may itself be in memory.
    """
    folder = tempfile.gettempdir()
    for place in data_directories():
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            folder = str(place)
    return tempfile.TemporaryFile(dir=folder), shutil.disk_usage(folder).free


_mapped: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def map_file(file: IO[bytes], size: int = 0, *, writable: bool = False) -> mmap.mmap:
    """Maps a file into memory, up to its end or so many bytes, which it then has."""
    if size:
        file.truncate(size)
    mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ)
    _mapped.add(mapped)
    return mapped


def release_pages() -> None:
    """Takes what was read or written of mapped files out of the memory of this process; it is read again on access."""
    for mapped in list(_mapped):
        if hasattr(mapped, "madvise"):  # not on Windows
            mapped.madvise(mmap.MADV_DONTNEED)


def download(url: str, sha256: str, destination: Path, remedy: str = "") -> Path:
    """Downloads a file, and keeps it only if its sha256 (hexadecimal) is the expected one. Returns `destination`.

    `remedy` ends the sentence of an error with what else a person can do.

    Raises:
        DataError: If it cannot be fetched or written, or has another hash; the destination is then left as before.
    """
    logger.info("Downloading %s to %s", url, destination)
    try:
        with replace_file(destination) as part:
            came = _fetch(url, part)
            if came != sha256:
                raise DataError(f"{url} has the sha256 {came}, expected {sha256}: the file was not kept.{remedy}")
    except (OSError, http.client.HTTPException) as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        raise DataError(f"Cannot download {url} to {destination}: {reason}.{remedy}") from None
    return destination


def _fetch(url: str, destination: Path) -> str:
    """Streams a URL into a file with a progress bar, or with log lines if there is no terminal; returns its sha256."""
    digest = hashlib.sha256()
    console = PrintableConsole(stderr=True)
    columns = (*Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn())
    progress = Progress(*columns, console=console, disable=not console.is_terminal)
    request = urllib.request.Request(url, headers={"User-Agent": "dltrain"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response, destination.open("wb") as file, progress:
        length = response.headers.get("Content-Length")
        total = int(length) if length and length.isdigit() else None
        task = progress.add_task(destination.name.split(".", 2)[-1], total=total)
        done = tenths = 0
        while block := response.read(BLOCK):
            file.write(block)
            digest.update(block)
            done += len(block)
            progress.update(task, completed=done)
            if progress.disable and total and done * 10 // total > tenths:
                tenths = done * 10 // total
                logger.info("Downloaded %d%% of %.1f MB", tenths * 10, total / 1e6)
    return digest.hexdigest()


def fingerprint(*paths: Path, ending: str = "") -> str:
    """Returns 24 hexadecimal digits over name, size and time of change of files, without reading them.

    `paths` are files, or folders with all that is in them; `ending` restricts the names of the files that count.

    Raises:
        DataError: If one of them is missing or cannot be reached.
    """
    digest = hashlib.sha256()
    try:
        for path in paths:
            for name, found in sorted(each for each in _files(path.resolve()) if each[0].endswith(ending)):
                line = f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n"
                digest.update(line.encode(errors="surrogateescape"))
    except OSError as error:
        raise DataError(f"Cannot read {error.filename}: {error.strerror}.") from None
    return digest.hexdigest()[:24]


def _files(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    if not path.is_dir():
        yield str(path), path.stat()
        return
    for folder, _, names in os.walk(path):
        for name in names:
            # os.path is used in place of pathlib for speed: a folder of 50,000 files is scanned at each start.
            file = os.path.join(folder, name)  # noqa: PTH118
            yield file, os.stat(file)  # noqa: PTH116


def cached_table(key: str, build: Callable[[], pa.Table]) -> pa.Table:
    """Returns a table from the folder `parsed` of the data directory; builds and keeps it if it is missing or damaged.

    `key` has to name the content, the version of its parser, and the fingerprint of its source.
    """
    try:
        folder = data_directory() / "parsed"
    except DataError as error:
        logger.warning("Cannot keep the parsed data: %s", error)
        return build()
    # The hash is part of the file's name because Parquet's checksums leave out header and metadata.
    for path in sorted(folder.glob(f"{key}.*.parquet")):
        try:
            content = path.read_bytes()
        except OSError as error:
            logger.warning("Cannot read the cached file %s: %s", path, error)
            continue
        if hashlib.sha256(content).hexdigest() == path.name.split(".")[-2]:
            return pq.read_table(pa.BufferReader(content))
        logger.warning("The cached file %s is damaged: it is built again", path)
    table = build()
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd", use_dictionary=False)
    content = buffer.getvalue()
    try:
        for damaged in folder.glob(f"{key}.*.parquet"):
            damaged.unlink(missing_ok=True)
        with replace_file(folder / f"{key}.{hashlib.sha256(content).hexdigest()}.parquet") as part:
            part.write_bytes(content)
    except OSError as error:
        logger.warning("Cannot keep the parsed data in %s (%s): the next start parses it again", folder, error)
    return table
