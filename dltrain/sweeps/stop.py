"""Handles Ctrl-C in a sweep: the first lets running jobs finish, the second ends them."""

from __future__ import annotations

import os
import platform
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from dltrain.base.show import show

STOP, MAIN = ".stop", ".main"


def asked_to_stop(sweep: Path) -> bool:
    """Returns whether no further job shall start; a file tells, since workers may be on other hosts."""
    return (sweep / STOP).exists()


def main_process(sweep: Path) -> int | None:
    """Returns the number of the process that a person started; None if it runs on another host, or none does."""
    try:
        host, _, number = (sweep / MAIN).read_text().strip().rpartition(" ")
    except OSError:
        return None
    return int(number) if host == platform.node() and number.isdigit() else None


def in_main_process(sweep: Path) -> bool:
    """Returns whether this process is the one that a person started."""
    return main_process(sweep) == os.getpid()


@contextmanager
def stoppable(sweep: Path, what_follows: str = "after the jobs in flight") -> Iterator[None]:
    """Turns the first Ctrl-C into a request that jobs check before they start; `what_follows` says what it brings."""
    (sweep / STOP).unlink(missing_ok=True)
    (sweep / MAIN).write_text(f"{platform.node()} {os.getpid()}")

    def stop(number: int, frame: FrameType | None) -> None:
        if asked_to_stop(sweep):
            raise KeyboardInterrupt
        (sweep / STOP).touch()
        show(f"\nstopping {what_follows}; press Ctrl-C again to end them now", file=sys.stderr, flush=True)

    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:  # only the main thread can handle signals
        before = None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
        (sweep / MAIN).unlink(missing_ok=True)
