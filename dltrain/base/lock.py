"""A directory belongs to one process at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.base.errors import ConfigError

if TYPE_CHECKING:  # whatever only reads answers at once
    from filelock import BaseFileLock

FILE = ".lock"  # in a directory while a process has it; after a kill it stays, and the next process takes it
ENDING = 0.2  # seconds: a process that just gives the directory back is waited for

_held: dict[Path, BaseFileLock] = {}


def lock(directory: Path) -> bool:
    """Locks a directory for this process until `unlock` or its end, however that comes; locking again changes nothing.

    Returns:
        Whether this call is the one that locked it, so that its caller is the one to unlock it.

    Raises:
        ConfigError: another process works in it.
    """
    from filelock import FileLock, Timeout

    path = directory.resolve()
    if path in _held:
        return False
    file = FileLock(path / FILE, timeout=ENDING, thread_local=False)
    try:
        file.acquire()
    except Timeout:
        raise ConfigError(
            f"'{directory}' is in use: another process runs in it. Wait for its end, or choose another directory."
        ) from None
    except OSError:  # nothing can be written there, or a network file system knows no locks
        return False
    _held[path] = file
    return True


def unlock(directory: Path) -> None:
    """Frees a directory that this process has locked."""
    if (file := _held.pop(directory.resolve(), None)) is not None:
        _free(file)


@contextlib.contextmanager
def waiting_for(directory: Path) -> Iterator[None]:
    """Holds the lock of a directory, as soon as it is free; where nothing can be locked, nothing is."""
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
    # Before the release: who waits for this file sees that it is gone, and makes another. Windows removes it after.
    with contextlib.suppress(OSError):
        Path(file.lock_file).unlink()
    file.release()
