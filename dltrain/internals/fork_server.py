"""Starts and ends the process from which multiprocessing forks workers; Python has no public way to end it."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import forkserver
from typing import Any

NAMES = (
    "multiprocessing.forkserver._forkserver",
    "multiprocessing.forkserver.ForkServer._forkserver_pid",
    "multiprocessing.forkserver.ForkServer._stop",
)

_server: Any = forkserver._forkserver


def begin(preload: Sequence[str]) -> bool:
    """Starts the process, which then imports the modules, and returns at once; False if it was running already."""
    if runs():
        return False
    forkserver.set_forkserver_preload([*preload])
    forkserver.ensure_running()
    return True


def runs() -> bool:
    """Returns whether the process was started by this one and has not been ended."""
    return _server._forkserver_pid is not None


def end() -> None:
    """Ends the process, if it runs, even during its imports; no worker of it may be needed any more."""
    if runs():
        with suppress(ProcessLookupError):
            os.kill(_server._forkserver_pid, signal.SIGKILL)
        _server._stop()
