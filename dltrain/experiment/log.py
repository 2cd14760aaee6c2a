"""Writes the log of a run: everything to a file, and what a person wants to see to the terminal."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from dltrain.base.console import show_sentence
from dltrain.base.printable import printable

logger = logging.getLogger("dltrain")
python_warnings = logging.getLogger("py.warnings")
Kept = Sequence[logging.LogRecord]
WRITING_SECONDS = 0.1  # between details in the log file that are written
LONGEST_LINE = 200  # characters of a log line on the terminal


class ConsoleHandler(logging.Handler):
    """Prints log records through rich, warnings in yellow."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one record."""
        style = "yellow" if record.levelno >= logging.WARNING else "dim"
        text = record.getMessage()
        if len(text) > LONGEST_LINE and record.levelno < logging.WARNING:
            text = f"{text[:LONGEST_LINE]} … (all of it in dltrain.log)"
        show_sentence(self.console, text, style)


class KeepingHandler(logging.Handler):
    """Keeps log records."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one record."""
        self.kept.append(record)


class LogFile(logging.FileHandler):
    """A log file that ignores a full disk: only a line of the log is lost, and the run itself reports the disk.

    Details, such as those of each epoch, are written together if they follow each other at once, since writing each
    would take longer than a short epoch.
    """

    _written = 0.0  # when, as time.monotonic counts
    _waits = False

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record."""
        self._waits = record.levelno <= logging.DEBUG and time.monotonic() - self._written < WRITING_SECONDS
        super().emit(record)

    def flush(self) -> None:
        """Hands the lines to the system, unless more are expected at once."""
        if not self._waits:
            super().flush()
            self._written = time.monotonic()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Ignores errors of the disk, for which logging would print a traceback."""
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)

    def close(self) -> None:
        """Closes the file, even if its last lines cannot be written."""
        with contextlib.suppress(OSError):
            super().close()


class LineFormatter(logging.Formatter):
    """Indents all lines of a record but the first, so that no text can look like another record."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the record as text."""
        return printable(super().format(record)).replace("\n", "\n    ")


def start_logging(path: Path, console: Console, *, quiet: bool, verbose: bool, before: Kept = ()) -> None:
    """Sends the log to a file with times, and to the terminal without.

    `quiet` shows only warnings and errors on the terminal, `verbose` every decision. `before` are records that were
    shown already.
    """
    stop_logging()
    file = LogFile(path, encoding="utf-8", delay=False)
    file.setFormatter(LineFormatter("%(asctime)s %(levelname)s %(message)s"))
    file.setLevel(logging.DEBUG)
    for record in before:
        file.handle(record)
    _send_to(file, terminal_handler(console, quiet=quiet, verbose=verbose))


def terminal_handler(console: Console, *, quiet: bool, verbose: bool) -> logging.Handler:
    """Returns what shows the log on the terminal."""
    terminal = ConsoleHandler(console)
    terminal.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)
    return terminal


@contextlib.contextmanager
def logging_kept(terminal: logging.Handler) -> Iterator[Kept]:
    """Shows the log on the terminal, and yields a list that fills with its records, for the file of a later log."""
    file = KeepingHandler()
    stop_logging()
    _send_to(file, terminal)
    try:
        yield file.kept
    finally:
        stop_logging()


def _send_to(file: logging.Handler, terminal: logging.Handler) -> None:
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(file)
    # Python warnings of Keras and others go to the log.
    logging.captureWarnings(True)
    python_warnings.propagate = False
    python_warnings.addHandler(file)
    logger.addHandler(terminal)


def stop_logging() -> None:
    """Closes the handlers of `start_logging`."""
    logging.captureWarnings(False)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        python_warnings.removeHandler(handler)
        handler.close()
