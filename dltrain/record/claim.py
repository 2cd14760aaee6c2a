"""A directory for each run, which no other run has."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path

from dltrain.base.errors import ConfigError
from dltrain.base.lock import lock, unlock

# Files that a run or a sweep leaves behind.
TRACES = ("run.json", "multirun.yaml", "sweep.json")


@dataclass(frozen=True)
class Claim:
    """A directory that belongs to this run; `created` where it did not exist before."""

    path: Path
    created: bool

    def release(self) -> None:
        """Removes the directory, if it was made for this run and no run has begun to write into it."""
        if self.created and not any(self.path.rglob("run.json")):
            shutil.rmtree(self.path, ignore_errors=True)


def claim(directory: Path, *, key: str, chosen: bool) -> Claim:
    """Makes a directory that did not exist, or takes the one that the user chose.

    Args:
        directory: where to; unless `chosen`, the first of itself, itself_2, itself_3, … that is free.
        key: the key that names it, for errors.
        chosen: whether the user named the directory.

    Raises:
        ConfigError: it cannot be made, or it holds another run.
    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        if chosen:
            return _take(directory, key)
        for number in itertools.count(1):
            path = directory if number == 1 else directory.with_name(f"{directory.name}_{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            lock(path)
            return Claim(path, created=True)
    except OSError as error:
        raise ConfigError(
            f"{key}: the directory '{directory}' cannot be made ({error.strerror}: '{error.filename}'). "
            f"Choose another with {key}=…"
        ) from error
    raise AssertionError("unreachable: the numbers do not end")


def _take(directory: Path, key: str) -> Claim:
    try:
        directory.mkdir()
        created = True
    except FileExistsError:
        if not directory.is_dir():
            raise
        created = False
    lock(directory)  # before the look: another run may have chosen it too
    if not created:
        for trace in TRACES:
            if (directory / trace).exists():
                unlock(directory)
                raise ConfigError(f"{key}: '{directory}' holds another run ({trace}). Choose another one or remove it.")
    return Claim(directory, created)
