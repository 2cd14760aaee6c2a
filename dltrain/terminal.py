"""What a person sees while a run goes on: a header, one line of progress, a table at the end."""

from __future__ import annotations

import contextlib
import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table
from rich.text import Text

from dltrain.evaluation import Results
from dltrain.printable import printable

logger = logging.getLogger("dltrain")
python_warnings = logging.getLogger("py.warnings")
LONGEST_LINE = 200  # characters of a log line on the terminal
PLAIN_SECONDS = 5.0  # between two plain lines of progress


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


def show_header(console: Console, facts: Mapping[str, str], *, quiet: bool) -> None:
    """Prints what will be done, a fact a line, and logs it."""
    grid = Table.grid(padding=(0, 2))
    for name, text in facts.items():
        grid.add_row(Text(name, "bold"), Text(printable(text)))
        logger.debug("%s: %s", name, text)
    if not quiet:
        console.print(grid)


def show_results(console: Console, results: Results, directory: Path) -> None:
    """Prints the final table: a row a metric, a column a part, the baselines beside the part that was scored last."""
    parts = list(results.metrics)
    table = Table(
        title=f"best epoch {results.best_epoch} of {results.epochs}",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("metric", style="bold")
    for part in parts:
        table.add_column(part, justify="right")
    last = parts[-1]
    if last in results.intervals:
        table.add_column("95 % interval", justify="right")
    for baseline in results.baselines:
        table.add_column(f"{baseline} ({last})", justify="right", style="dim")
    for name in results.metrics[last]:
        row = [escape(printable(name)), *(number(results.metrics[part].get(name)) for part in parts)]
        if last in results.intervals:
            interval = results.intervals[last].get(name)
            row.append(f"{number(interval[0])} to {number(interval[1])}" if interval else "")
        row += [number(scores.get(last, {}).get(name)) for scores in results.baselines.values()]
        table.add_row(*row)
        logger.debug("%s: %s", name, ", ".join(f"{part} {results.metrics[part].get(name)}" for part in parts))
    console.print(table)
    verdict = results.difference.sentence()
    console.print(verdict, style="" if results.difference.beats else "yellow", markup=False, highlight=False)
    logger.debug(verdict)
    for note in results.notes:
        console.print(printable(note), style="dim", markup=False, highlight=False)
        logger.debug(note)
    console.print(Text.assemble(("run", "bold"), f"  {printable(str(directory))}"), soft_wrap=True)


def number(value: float | None) -> str:
    """A metric for people; nothing where there is none."""
    if value is None:
        return ""
    if math.isnan(value):
        return "undefined"
    size = abs(value)
    if size >= 1e7 or 0 < size < 1e-4:
        return f"{value:.4g}"
    return f"{value:.4f}" if size < 1_000 else f"{value:,.1f}"


class Progress(keras.callbacks.Callback):
    """One live line with the metrics and the time left; plain lines now and then where the output is no terminal.

    Args:
        console: where to print.
        quiet: whether to print nothing.
    """

    def __init__(self, console: Console, quiet: bool = False) -> None:
        super().__init__()
        self.console = console
        self.quiet = quiet
        self._progress: RichProgress | None = None
        self._task: Any = None
        self._epochs = 0
        self._began = self._printed = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self._epochs = self.params["epochs"]
        self._began = self._printed = time.monotonic()
        if self.console.is_terminal and not self.quiet:
            columns: Sequence[Any] = (
                TextColumn("epoch {task.completed}/{task.total}"),
                BarColumn(bar_width=20),
                TextColumn("{task.fields[metrics]}", markup=False),
                TimeRemainingColumn(),
            )
            self._progress = RichProgress(*columns, console=self.console, transient=True)
            self._task = self._progress.add_task("", total=self._epochs, metrics="tracing the graph …")
            self._progress.start()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        values = ((name, value) for name, value in (logs or {}).items() if name != "learning_rate")
        shown = "  ".join(f"{printable(name)} {value:.4g}" for name, value in values)
        logger.debug("epoch %d: %s", epoch + 1, shown)
        if self._progress:
            self._progress.update(self._task, completed=epoch + 1, metrics=shown)
        elif not self.quiet and time.monotonic() - self._printed > PLAIN_SECONDS:
            self._printed = time.monotonic()
            left = (self._printed - self._began) / (epoch + 1) * (self._epochs - epoch - 1)
            self.console.print(
                f"epoch {epoch + 1}/{self._epochs}  {shown}  {left:.0f} s left",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self.close()

    def close(self) -> None:
        """Takes the live line away, also after a failure."""
        if self._progress:
            self._progress.stop()
            self._progress = None


class _EpochCounter(keras.callbacks.Callback):
    def __init__(self, count: Callable[[], None]) -> None:
        super().__init__()
        self.count = count

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.count()


class TrainingsProgress:
    """One live line for several trainings at once; plain lines now and then where the output is no terminal.

    Args:
        console: where to print.
        noun: what one of them is called.
        count: how many there are.
        epochs: of each, at most.
        quiet: whether to print nothing.

    Attributes:
        stopping: set it, and every training ends with its epoch.
    """

    def __init__(self, console: Console, noun: str, count: int, epochs: int, *, quiet: bool) -> None:
        self.console, self.noun, self.count, self.epochs = console, noun, count, epochs
        self.quiet = quiet
        self.stopping = False
        self._done = 0
        self._epochs_run = 0
        self._began = self._printed = time.monotonic()
        self._lock = threading.Lock()
        self._progress: RichProgress | None = None
        if console.is_terminal and not quiet:
            columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[epochs]}"))
            self._progress = RichProgress(*columns, console=console, transient=True)
            self._task = self._progress.add_task(self._text(), total=count * epochs, epochs="")
            self._progress.start()

    def callback(self) -> keras.callbacks.Callback:
        """Counts the epochs of one training."""
        return _EpochCounter(self.epoch)

    def finished(self) -> None:
        """One training is done, whatever epochs it had left."""
        with self._lock:
            self._done += 1
        self._show(self._done * self.epochs)

    def close(self) -> None:
        """Takes the live line away, also after a failure."""
        if self._progress:
            self._progress.stop()

    def epoch(self) -> None:
        """An epoch of one of them is done.

        Raises:
            KeyboardInterrupt: in the thread of a training that is to stop.
        """
        if self.stopping:
            raise KeyboardInterrupt
        with self._lock:
            self._epochs_run += 1
        self._show(max(self._epochs_run, self._done * self.epochs))

    def _show(self, completed: int) -> None:
        if self._progress:
            epochs = f"{self._epochs_run:,} epochs in all"
            self._progress.update(self._task, description=self._text(), completed=completed, epochs=epochs)
        elif not self.quiet and time.monotonic() - self._printed > PLAIN_SECONDS:
            self._printed = time.monotonic()
            self.console.print(f"{self._text()}, {self._epochs_run:,} epochs in all", highlight=False)

    def _text(self) -> str:
        return f"{self.noun}s {self._done} of {self.count} done"
