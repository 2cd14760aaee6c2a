"""Ends a worker of a sweep whose main process is gone, since nobody would collect its results or end it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dltrain.sweeps.stop import main_process

SECONDS = 0.5  # between two looks at the parent
GRACE = 20.0  # seconds in which a job saves its state
ENDED = 143

_busy = threading.Event()
_watched: set[int | None] = set()


@contextmanager
def ends_with_its_parent(sweep: Path) -> Iterator[None]:
    """Ends this process, now or between jobs, once the sweep's main process that is its parent is gone.

    A job that is under way saves its state first. Workers that another process has started, as on a cluster, live on.
    """
    main, parent, started_by = main_process(sweep), os.getppid(), multiprocessing.parent_process()
    lives: Callable[[], bool] | None = None
    if main is not None and parent == main:
        lives = lambda: os.getppid() == parent  # noqa: E731
    elif main is not None and started_by is not None and started_by.pid == main:  # of one that is forked from another
        lives = started_by.is_alive
    if lives is not None and main not in _watched:
        _watched.add(main)
        threading.Thread(target=_watch, args=(lives,), daemon=True, name="watches the main process").start()
    _busy.set()
    try:
        yield
    finally:
        _busy.clear()


def _watch(lives: Callable[[], bool]) -> None:
    while lives():
        time.sleep(SECONDS)
    end = time.monotonic() + GRACE
    if _busy.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
    while _busy.is_set() and time.monotonic() < end:
        time.sleep(0.05)
    os._exit(ENDED)
