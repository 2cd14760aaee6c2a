"""Ctrl-C and SIGTERM while a training runs: the first lets the step finish, the second quits at once."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """As a context manager it holds the first signal back until somebody asks; outside the main thread it does nothing.

    Attributes:
        received: the number of the signal that came, or None.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[int, Any] = {}
        self._sockets: tuple[socket.socket, socket.socket] | None = None
        self._wakeup = -1

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        # Python's own handlers wait for TensorFlow to come back; the number of a signal reaches this socket at once.
        self._sockets = socket.socketpair()
        self._sockets[1].setblocking(False)
        # Whoever has taken Ctrl-C before, such as a sweep that lets its jobs finish, keeps it.
        own = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        held = SIGNALS if own else (signal.SIGTERM,)
        self._before = {number: signal.signal(number, self._note) for number in held}
        self._wakeup = signal.set_wakeup_fd(self._sockets[1].fileno(), warn_on_full_buffer=False)
        # A sweep has a use for the second Ctrl-C too: it ends its jobs and says how to go on.
        threading.Thread(target=_quit, args=(self._sockets[0], 2 if own else 3), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sockets is None:
            return
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._sockets[1].close()  # which ends the thread
        if error is None:
            self.check()

    def check(self) -> None:
        """Raises what the signal that came stands for.

        Raises:
            KeyboardInterrupt: it was Ctrl-C.
            SystemExit: it was SIGTERM; the exit code is 143.
        """
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        if self.received is not None:
            sys.exit(128 + self.received)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received = number
            print("\nThe state is saved after this step; a second signal quits at once.", file=sys.stderr)


def _quit(numbers: socket.socket, most: int) -> None:
    """Quits when so many signals have come, or SIGTERM twice."""
    came: list[int] = []
    while received := numbers.recv(1):
        came += [received[0]] if received[0] in SIGNALS else []
        if len(came) == most or came.count(signal.SIGTERM) == 2:
            if sys.stdout.isatty():
                os.write(1, b"\x1b[?25h\n")  # the live line has hidden the cursor
            os._exit(128 + received[0])
    numbers.close()
