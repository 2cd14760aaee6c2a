"""Finds what a person names, and reads regular files alone: a device never ends, and a pipe can wait for ever."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from dltrain.base.errors import DataError, did_you_mean

OTHER_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
OPEN_PIPES = (Path("/dev"), Path("/dev/fd"))


def find(
    path: str | Path,
    *,
    key: str,
    expected: str,
    folder: bool = False,
    stream: bool = False,
    also_in: Sequence[Path] = (),
) -> Path:
    """Returns the absolute path of a regular file that a person named.

    `~` is expanded; a relative path starts at the current directory, else at a folder of `also_in`. `folder` allows a
    folder, and `stream` a pipe that the shell has opened, as `<(…)` and /dev/stdin are. `key` and `expected` are for
    the message.

    Raises:
        DataError: If there is none, or it cannot be reached.
    """
    try:
        given = Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise DataError(f"{key}={path}: {error}") from None
    for found in (given, *(place / path for place in also_in)):
        try:
            kind = stat.S_IFMT(found.stat().st_mode)
        except (OSError, ValueError) as error:  # a ValueError if the path holds a zero byte
            if isinstance(error, PermissionError) and found == given:
                raise DataError(f"{key}: {given} cannot be read: {error.strerror}.") from None
            continue
        is_open = stream and kind == stat.S_IFIFO and found.parent in OPEN_PIPES
        if kind != stat.S_IFREG and not (folder and kind == stat.S_IFDIR) and not is_open:
            raise DataError(f"{key}: {found} is {OTHER_KINDS.get(kind, 'something else')}; expected a {expected}.")
        return found
    try:
        beside = [entry.name for entry in given.parent.iterdir() if folder or entry.is_file()]
    except (OSError, ValueError):
        raise DataError(f"{key}: there is no {expected} {given}, nor its folder {given.parent}.") from None
    hint = did_you_mean(given.name, beside) if beside else ""
    raise DataError(f"{key}: there is no {expected} {given}.{hint}")


def is_reachable(path: Path) -> bool:
    """Tells whether there is such a file or folder; `Path.exists` raises an error if a folder above it is closed."""
    try:
        path.expanduser().stat()
    except (OSError, RuntimeError, ValueError):
        return False
    return True


def read_regular(path: Path, most: int | None = None) -> bytes:
    """Reads a file as a whole.

    Raises:
        OSError: If it cannot be read, is no regular file, or has more than `most` bytes, or than the memory holds.
    """
    found = path.stat()
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        raise OSError(errno.EINVAL, f"it is {OTHER_KINDS.get(kind, 'something else')}; expected a file", str(path))
    limit = memory_bytes() if most is None else most
    if found.st_size > limit:
        holds = "the memory of this machine holds" if most is None else "are read of such a file"
        raise OSError(errno.EFBIG, f"it has {found.st_size:,} bytes, more than the {limit:,} that {holds}", str(path))
    return path.read_bytes()


def memory_bytes() -> int:
    """Returns the memory of this machine; 2^63 if the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2**63
