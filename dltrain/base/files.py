"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PART = ".part-"  # how the name of a file begins that is still being written, or that a kill left behind


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Lets a file appear whole or not at all: write to the temporary path, and it takes its place at the end.

    The folder is made if need be. The temporary file stands in the same folder and ends with the same name,
    since some writers choose the format by the suffix. Readers see the old file until then; it stays, and the
    temporary one is removed, if the block raises.

    Args:
        path: the file to create or replace.

    Yields:
        The temporary path, which the block must create.

    Raises:
        OSError: the folder or the file cannot be written, or the block wrote nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name alone, not a file made by tempfile: that one would be readable by its owner only.
    temporary = path.with_name(f"{PART}{secrets.token_hex(6)}.{path.name}")
    try:
        yield temporary
        # Without this a power cut can leave the new name with no content.
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
