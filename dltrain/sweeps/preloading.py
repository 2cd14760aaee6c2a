"""Has TensorFlow imported for the workers of a sweep while its command is still read and checked."""

from __future__ import annotations

import multiprocessing
import os
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dltrain.internals import fork_server, tensorflow_quietly

PRELOAD = "dltrain.sweeps.preload"
GIGABYTES = 1.5  # of memory that is free, for each worker
# Words of a command whose jobs may run in its own process, or whose launcher starts them by itself.
ALONE = ("hydra/launcher", "hydra.launcher", "strategy", "verbose")

_ahead = False  # whether the process was started and nobody has needed it yet


@contextmanager
def preloaded(words: Sequence[str], *, wanted: bool) -> Iterator[None]:
    """Imports TensorFlow beside the block for workers that are likely to come, if `wanted`.

    `words` are the overrides of a sweep. The import is given up if the block fails before workers are needed.
    """
    if not (wanted and _workers_are_likely(words)):
        yield
        return
    _begin_ahead()
    try:
        yield
    except BaseException:
        give_up()  # it would hold the output of the command open until its import is done
        raise


def begin() -> None:
    """Starts the process from which workers are forked, unless it runs; workers are needed."""
    global _ahead
    _ahead = False
    with without_main():
        fork_server.begin([PRELOAD])


def _begin_ahead() -> None:
    global _ahead
    with without_main():
        _ahead = fork_server.begin([PRELOAD])


def give_up() -> None:
    """Ends the process that was started ahead, unless workers were needed."""
    global _ahead
    if _ahead:
        _ahead = False
        fork_server.end()


def _workers_are_likely(words: Sequence[str]) -> bool:
    keys = [word.lstrip("+~").partition("=")[0] for word in words]
    return (
        "forkserver" in multiprocessing.get_all_start_methods()
        and not any(key.startswith(ALONE) for key in keys)
        and not tensorflow_quietly.is_loaded()
        and not has_gpu()
        and most_workers() > 1
    )


def most_workers() -> int:
    """Returns how many workers this machine bears: one a core, as far as memory lasts."""
    return int(min(cores(), free_gigabytes() / GIGABYTES))


def has_gpu() -> bool:
    """Returns whether this machine has a GPU that workers would share."""
    return any(Path("/dev").glob("nvidia[0-9]*"))


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_gigabytes() -> float:
    """Returns the memory that new processes may have; without limit where the system does not tell."""
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text("utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) / 1e6
    return float("inf")


@contextmanager
def without_main() -> Iterator[None]:
    """Hides the program that runs, which the processes would otherwise import, and so run, again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
