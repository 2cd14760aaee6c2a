"""Writes files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PART = ".part-"  # the prefix of a file or folder that is still being written, or that a kill left behind


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the folder of a file, which replaces the file when the block ends.

    The folder is created if need be. The temporary path ends with the file's name, since some writers choose the format
    by the suffix. If the block raises, the old file stays and the temporary one is removed.

    Raises:
        OSError: If the folder or the file cannot be written, or the block wrote nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # tempfile would create a file that only its owner can read.
    temporary = path.with_name(f"{PART}{secrets.token_hex(6)}.{path.name}")
    try:
        yield temporary
        # Without fsync a power cut can leave an empty file.
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove_unfinished(folder: Path) -> None:
    """Removes from a folder, and from those in it, the temporary files that a killed process left behind."""
    for unfinished in list(folder.rglob(f"{PART}*")):  # before anything below it is gone
        if unfinished.is_dir():
            shutil.rmtree(unfinished)
        else:
            unfinished.unlink(missing_ok=True)
