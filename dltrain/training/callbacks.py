"""Callbacks that Keras lacks, or whose own version would cost a Python call at every step."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import keras
from tensorboard.summary import Writer


class LearningRate(keras.callbacks.Callback):
    """Adds `learning_rate`, as it stands after the epoch's last step, to what is recorded of each epoch."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class CSVHistory(keras.callbacks.Callback):
    """Writes `history.csv`: a row an epoch (counted from 1), with every digit of each value.

    Args:
        directory: of the run.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.path = Path(directory) / "history.csv"
        self._columns: list[str] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        row = {"epoch": epoch + 1, **(logs or {})}
        first = not self._columns
        if first:
            self._columns = ["epoch", *sorted(set(row) - {"epoch"}, key=_column_order)]
        with self.path.open("w" if first else "a", newline="") as file:
            writer = csv.DictWriter(file, self._columns, extrasaction="ignore")
            if first:
                writer.writeheader()
            writer.writerow(row)


def _column_order(name: str) -> tuple[bool, bool, bool, str]:
    return name != "learning_rate", name.startswith("val_"), name.removeprefix("val_") != "loss", name


class TensorBoard(keras.callbacks.Callback):
    """Writes each epoch's values for TensorBoard, train and validation in one chart.

    TensorFlow's own `tf.summary.scalar` takes a millisecond a value, TensorBoard's writer a twentieth of it.

    Args:
        directory: of the run; the logs stand in its folder `tensorboard`.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = Path(directory) / "tensorboard"
        self._writers: dict[str, Any] = {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self._writers = {part: Writer(str(self.directory / part)) for part in ("train", "validation")}

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        for name, value in (logs or {}).items():
            part = "validation" if name.startswith("val_") else "train"
            self._writers[part].add_scalar(name.removeprefix("val_"), value, epoch + 1)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self.close()

    def close(self) -> None:
        """Writes what is left, also after a failure."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
