"""Shows the progress of a training: a live line on a terminal or in a notebook, else a plain one every few seconds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import keras
from omegaconf import DictConfig
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from dltrain.base.interactive import NotebookLine, is_notebook
from dltrain.base.plain_table import digits
from dltrain.base.printable import printable

logger = logging.getLogger("dltrain")
PLAIN_SECONDS = 5.0  # between two plain lines


class Progress(keras.callbacks.Callback):
    """Shows epoch, time that is left at most, and metrics of a training, or nothing if `quiet`.

    The monitored value of the row of the head table `task` comes first, then the others of validation; on a narrow
    terminal those that find no room are left out.
    """

    def __init__(self, console: Console, quiet: bool = False, task: DictConfig | None = None) -> None:
        super().__init__()
        self.console = console
        self.quiet = quiet
        self.monitor = str(task.monitor) if task is not None else "val_loss"
        self._progress: RichProgress | None = None
        self._task: Any = None
        self._line: NotebookLine | None = None
        self._epochs = 0
        self._began = self._printed = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self._epochs = self.params["epochs"]
        self._began = self._printed = time.monotonic()
        if self.quiet or self.console.quiet:
            return
        if is_notebook():
            self._line = NotebookLine(self._epochs)
            self._line.show(0, "tracing the graph …")
        elif self.console.is_terminal:
            columns: Sequence[Any] = (
                TextColumn(f"epoch {{task.completed:{len(str(self._epochs))}}}/{{task.total}}"),
                BarColumn(bar_width=_bar_width(self.console)),
                TimeRemainingColumn(),
                TextColumn("left  {task.fields[metrics]}", markup=False),
            )
            self._progress = RichProgress(*columns, console=self.console, transient=True)
            self._task = self._progress.add_task("", total=self._epochs, metrics="tracing the graph …")
            self._progress.start()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        values = {name: value for name, value in (logs or {}).items() if name != "learning_rate"}
        order = sorted(values, key=lambda name: (name != self.monitor, not name.startswith("val_")))
        shown = [f"{printable(name)} {digits(values[name], 4)}" for name in order]
        logger.debug("epoch %d: %s", epoch + 1, "  ".join(shown))
        if self._progress:
            self._progress.update(self._task, completed=epoch + 1, metrics=self._fitting(shown))
        elif self._line:
            self._line.show(epoch + 1, f"epoch {epoch + 1}/{self._epochs}  {'  '.join(shown)}")
        elif not self.quiet and time.monotonic() - self._printed > PLAIN_SECONDS:
            self._printed = time.monotonic()
            left = (self._printed - self._began) / (epoch + 1) * (self._epochs - epoch - 1)
            self.console.print(
                f"epoch {epoch + 1}/{self._epochs}  {left:.0f} s left  {'  '.join(shown)}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )

    def _fitting(self, metrics: Sequence[str]) -> str:
        """Returns as many of the metrics as the terminal has room for."""
        before = len(f"epoch {self._epochs}/{self._epochs}  00:00:00 left  ") + _bar_width(self.console)
        kept = metrics[0] if metrics else ""
        for each in metrics[1:]:
            if before + len(kept) + 2 + len(each) > self.console.width:
                break
            kept += f"  {each}"
        return kept

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self.close()

    def close(self) -> None:
        """Removes the live line, also after a failure."""
        if self._progress:
            self._progress.stop()
            self._progress = None
        if self._line:
            self._line.close()
            self._line = None


def _bar_width(console: Console) -> int:
    return min(20, max(4, console.width - 70))


class TrainingsProgress:
    """Shows one line for several trainings that run at the same time.

    `noun` names one of them, `count` is their number, and each has at most `epochs` epochs. Setting `stopping` ends
    every training after its current epoch.
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
        self._line = NotebookLine(count * epochs) if is_notebook() and not quiet and not console.quiet else None
        if console.is_terminal and not quiet and not self._line:
            columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[epochs]}"))
            self._progress = RichProgress(*columns, console=console, transient=True)
            self._task = self._progress.add_task(self._text(), total=count * epochs, epochs="")
            self._progress.start()

    def callback(self) -> keras.callbacks.Callback:
        """Returns a callback that counts the epochs of one training."""
        return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs=None: self.epoch())

    def finished(self) -> None:
        """Counts one training as done, even if it had epochs left."""
        with self._lock:
            self._done += 1
        self._show(self._done * self.epochs)

    def close(self) -> None:
        """Removes the live line, also after a failure."""
        if self._progress:
            self._progress.stop()
        if self._line:
            self._line.close()

    def epoch(self) -> None:
        """Counts an epoch; raises KeyboardInterrupt in the training's thread if it is to stop."""
        if self.stopping:
            raise KeyboardInterrupt
        with self._lock:
            self._epochs_run += 1
        self._show(max(self._epochs_run, self._done * self.epochs))

    def _show(self, completed: int) -> None:
        if self._line:
            self._line.show(completed, f"{self._text()}, {self._epochs_run:,} epochs in all")
        elif self._progress:
            epochs = f"{self._epochs_run:,} epochs in all"
            self._progress.update(self._task, description=self._text(), completed=completed, epochs=epochs)
        elif not self.quiet and time.monotonic() - self._printed > PLAIN_SECONDS:
            self._printed = time.monotonic()
            self.console.print(f"{self._text()}, {self._epochs_run:,} epochs in all", highlight=False)

    def _text(self) -> str:
        return f"{self._done} of {self.count} {self.noun}s done"
