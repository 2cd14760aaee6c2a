"""Handles Ctrl-C and SIGTERM in a training: the first signal lets the step finish, the second exits at once.

In a notebook and at Python's prompt the second Ctrl-C ends the training alone, since the process holds a person's work.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from dltrain.base.interactive import is_interactive
from dltrain.base.show import show

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """A context manager that holds the first signal until `check`; outside the main thread it does nothing.

    `received` is the number of the signal received, or None.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[int, Any] = {}
        self._sockets: tuple[socket.socket, socket.socket] | None = None
        self._wakeup = -1

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        # Python's own handlers wait until TensorFlow returns; this socket receives the number of a signal at once.
        self._sockets = socket.socketpair()
        self._sockets[1].setblocking(False)
        # A handler installed before, such as that of a sweep that lets its jobs finish, keeps Ctrl-C.
        own = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        held = SIGNALS if own else (signal.SIGTERM,)
        self._before = {number: signal.signal(number, self._note) for number in held}
        self._wakeup = signal.set_wakeup_fd(self._sockets[1].fileno(), warn_on_full_buffer=False)
        # A sweep handles the second Ctrl-C too: it ends its jobs and says how to continue.
        most = None if is_interactive() else 2 if own else 3
        threading.Thread(target=_quit, args=(self._sockets[0], most), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sockets is None:
            return
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._sockets[1].close()  # ends the thread
        if error is None:
            self.check()

    def check(self) -> None:
        """Raises KeyboardInterrupt if Ctrl-C was received, and SystemExit with code 143 if SIGTERM was."""
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        if self.received is not None:
            sys.exit(128 + self.received)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received = number
            show("\nThe state is saved after this step; a second signal quits at once.", file=sys.stderr)
        elif number == signal.SIGINT and is_interactive():
            raise KeyboardInterrupt


def _quit(numbers: socket.socket, most: int | None) -> None:
    """Exits when `most` signals were received, or SIGTERM twice."""
    came: list[int] = []
    while received := numbers.recv(1):
        came += [received[0]] if received[0] in SIGNALS else []
        if len(came) == most or came.count(signal.SIGTERM) == 2:
            if sys.stdout.isatty():
                os.write(1, b"\x1b[?25h\n")  # shows the cursor again, which the progress line hides
            os._exit(128 + received[0])
    numbers.close()
