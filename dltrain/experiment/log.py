"""The log of a run: all of it in a file, and what a person wants to see on the terminal."""

from __future__ import annotations

import contextlib
import logging
import sys
from pathlib import Path

from rich.console import Console

from dltrain.base.printable import printable

logger = logging.getLogger("dltrain")
python_warnings = logging.getLogger("py.warnings")
LONGEST_LINE = 200  # characters of a log line on the terminal


class ConsoleHandler(logging.Handler):
    """Prints log records through rich, warnings in their colour.

    Args:
        console: where to.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one record."""
        style = "yellow" if record.levelno >= logging.WARNING else "dim"
        text = record.getMessage()
        if len(text) > LONGEST_LINE and record.levelno < logging.WARNING:
            text = f"{text[:LONGEST_LINE]} … (all of it in dltrain.log)"
        self.console.print(printable(text), style=style, markup=False, highlight=False, soft_wrap=True)


class LogFile(logging.FileHandler):
    """A log file whose disk may be full: what is lost is a line of the log, and the run tells of the disk itself."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Keeps still, where logging would print a traceback."""
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)

    def close(self) -> None:
        """Closes the file, also where its last lines cannot be written."""
        with contextlib.suppress(OSError):
            super().close()


class LineFormatter(logging.Formatter):
    """A record that begins on a line of its own and indents all others: no text can pass itself off as a record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        return printable(super().format(record)).replace("\n", "\n    ")


def start_logging(path: Path, console: Console, *, quiet: bool, verbose: bool) -> None:
    """Sends the log to a file, with times, and to the terminal, without.

    Args:
        path: of the log file.
        console: the terminal.
        quiet: only warnings and errors to the terminal.
        verbose: every decision to the terminal.
    """
    stop_logging()
    file = LogFile(path, encoding="utf-8", delay=False)
    file.setFormatter(LineFormatter("%(asctime)s %(levelname)s %(message)s"))
    file.setLevel(logging.DEBUG)
    terminal = ConsoleHandler(console)
    terminal.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(file)
    # What Keras and others warn of is kept in the log.
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
