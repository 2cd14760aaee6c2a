"""A directory belongs to one process at a time."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from dltrain.base.errors import ConfigError

try:
    import fcntl
except ImportError:  # Windows: directories are not locked there
    fcntl = None  # type: ignore[assignment]

_held: dict[Path, int] = {}  # directory -> file descriptor


def lock(directory: Path) -> bool:
    """Locks a directory for this process until `unlock` or its end, however that comes; locking again changes nothing.

    No file is left behind: the lock is the operating system's, on the directory itself.

    Returns:
        Whether this call is the one that locked it, so that its caller is the one to unlock it.

    Raises:
        ConfigError: another process works in it.
    """
    path = directory.resolve()
    if fcntl is None or path in _held:
        return False
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConfigError(
            f"'{directory}' is in use: another process runs in it. Wait for its end, or choose another directory."
        ) from None
    except OSError:  # some network file systems know no locks
        os.close(descriptor)
        return False
    _held[path] = descriptor
    return True


def unlock(directory: Path) -> None:
    """Frees a directory that this process has locked."""
    with contextlib.suppress(KeyError):
        os.close(_held.pop(directory.resolve()))
