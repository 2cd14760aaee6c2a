"""Locks directories, so that each belongs to one process at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.base.errors import ConfigError

if TYPE_CHECKING:  # verbs that only read shall start at once
    from filelock import BaseFileLock

FILE = ".lock"  # exists while a process holds the directory; after a kill it stays, and the next process takes it
TIMEOUT = 0.2  # seconds to wait for a process that is just releasing the directory

_held: dict[Path, BaseFileLock] = {}


def lock(directory: Path, *, waits: bool = False) -> bool:
    """Locks a directory for this process until `unlock` or its end; locking it again changes nothing.

    Returns whether this call locked it, so that its caller has to unlock it. With `waits` it goes on once the directory
    is free.

    Raises:
        ConfigError: If another process holds it.
    """
    from filelock import FileLock, Timeout

    path = directory.resolve()
    if path in _held:
        return False
    file = FileLock(path / FILE, timeout=-1 if waits else TIMEOUT, thread_local=False)
    try:
        file.acquire()
    except Timeout:
        raise ConfigError(
            f"'{directory}' is in use: another process runs in it. Wait for its end, or choose another directory."
        ) from None
    except OSError:  # the directory is read-only, or on a network file system without locks
        return False
    _held[path] = file
    return True


def is_locked(directory: Path) -> bool:
    """Returns whether a process that lives holds a directory; one that was killed holds nothing."""
    from filelock import FileLock, Timeout

    if not (directory / FILE).exists():
        return False
    file = FileLock(directory / FILE, timeout=0, thread_local=False)
    try:
        file.acquire()
    except Timeout:
        return True
    except OSError:
        return False
    _free(file)
    return False


def unlock(directory: Path) -> None:
    """Frees a directory that this process has locked."""
    if (file := _held.pop(directory.resolve(), None)) is not None:
        _free(file)


@contextlib.contextmanager
def waiting_for(directory: Path) -> Iterator[None]:
    """Holds the lock of a directory once it is free; a directory that cannot be locked is used without."""
    from filelock import FileLock

    if directory.resolve() in _held:
        yield
        return
    file = FileLock(directory / FILE, thread_local=False)
    with contextlib.suppress(OSError):
        file.acquire()
    try:
        yield
    finally:
        if file.is_locked:
            _free(file)


def _free(file: BaseFileLock) -> None:
    # Removed before the release, so that whoever waits for this file notices and creates another. Windows removes it
    # after.
    with contextlib.suppress(OSError):
        Path(file.lock_file).unlink()
    file.release()
