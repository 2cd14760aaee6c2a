"""Defines callbacks that Keras lacks, or whose own version would cost a Python call at every step."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO

import keras
import tensorflow as tf

from dltrain.base.files import replace_file
from dltrain.internals.keras_optimizers import moving_averages
from dltrain.internals.keras_training import trained_weights


class LearningRate(keras.callbacks.Callback):
    """Adds `learning_rate`, as it is after the epoch's last step, to the logs of each epoch."""

    records = ("learning_rate",)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        if logs is not None:
            logs["learning_rate"] = float(tf.convert_to_tensor(self.model.optimizer.learning_rate))


class CSVHistory(keras.callbacks.Callback):
    """Writes `history.csv`: one row for each epoch, counted from 1, with every digit of each value."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.path = Path(directory) / "history.csv"
        self._rows: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        row = {"epoch": epoch + 1, **(logs or {})}
        first = not self._rows
        self._rows.append(row)
        with self.path.open("w" if first else "a", newline="") as file:
            self._write(file, [row], header=first)

    def get_state(self) -> list[dict[str, float]]:
        """Returns the rows so far."""
        return self._rows

    def set_state(self, rows: list[dict[str, float]]) -> None:
        """Rewrites the file with these rows, without those of epochs that will be trained again."""
        self._rows = rows
        self.path.unlink(missing_ok=True)
        if rows:
            with replace_file(self.path) as path, path.open("w", newline="") as file:
                self._write(file, rows, header=True)

    def _write(self, file: TextIO, rows: list[dict[str, float]], *, header: bool) -> None:
        columns = ["epoch", *sorted(set(self._rows[0]) - {"epoch"}, key=_column_order)]
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        if header:
            writer.writeheader()
        writer.writerows(rows)


def _column_order(name: str) -> tuple[bool, bool, bool, str]:
    return name != "learning_rate", name.startswith("val_"), name.removeprefix("val_") != "loss", name


class MovingAverage(keras.callbacks.Callback):
    """Validates and keeps the moving average of the weights, which `optimizer.use_ema` turns on.

    Keras' own callback swaps weight by weight, which takes several times as long and rounds the trained weights, and
    drops them at the end, so that no more epochs could follow.
    """

    def __init__(self) -> None:
        super().__init__()
        self._swapped = False

    def get_state(self) -> bool:
        """Tells whether the network holds the averages now, and the optimizer the trained weights."""
        return self._swapped

    def set_state(self, swapped: bool) -> None:
        """Restores what `get_state` returned."""
        self._swapped = swapped

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine; puts the trained weights back."""
        self._swap(averages=False)

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine; puts the averages in, to be validated."""
        self._swap(averages=True)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine; puts the averages in, also without a validation."""
        self._swap(averages=True)

    def _swap(self, *, averages: bool) -> None:
        if averages is not self._swapped:
            optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
            trained, averaged = trained_weights(optimizer), moving_averages(optimizer)
            _exchange([weight.value for weight in trained], [average.value for average in averaged])
            self._swapped = averages


@tf.function(autograph=False)  # type: ignore[untyped-decorator]
def _exchange(ones: list[tf.Variable], others: list[tf.Variable]) -> None:
    for one, other in zip(ones, others, strict=True):
        value = tf.identity(one)
        one.assign(other)
        other.assign(value)
