"""Keeps a run from ending because of what it prints: a reader that has gone, or letters that the output lacks."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


class Lasting(io.TextIOWrapper):
    """An output whose reader may go, as `head` does after its lines; the rest is then written nowhere."""

    def write(self, text: str) -> int:
        """Writes a text; returns its length."""
        try:
            return super().write(text)
        except BrokenPipeError:
            nowhere(self)
            return len(text)

    def flush(self) -> None:
        """Writes what has been kept back."""
        try:
            super().flush()
        except BrokenPipeError:
            nowhere(self)


def nowhere(stream: TextIO) -> None:
    """Lets everything that is still written to a stream vanish."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def show_every_letter() -> None:
    """Lets letters that the encoding of the outputs lacks appear as escapes; each would be an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def outlast_readers() -> None:
    """Lets this process go on where nobody reads its outputs any more."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.flush()
            lasting = Lasting(stream.buffer, stream.encoding, stream.errors, write_through=name == "stderr")
            setattr(sys, name, lasting)
