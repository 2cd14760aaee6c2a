"""Callbacks that Keras lacks, or whose own version would cost a Python call at every step."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO

import keras
import tensorflow as tf

from dltrain.base.files import replace_file


class LearningRate(keras.callbacks.Callback):
    """Adds `learning_rate`, as it stands after the epoch's last step, to what is recorded of each epoch."""

    records = ("learning_rate",)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        if logs is not None:
            logs["learning_rate"] = float(tf.convert_to_tensor(self.model.optimizer.learning_rate))


class CSVHistory(keras.callbacks.Callback):
    """Writes `history.csv`: a row an epoch (counted from 1), with every digit of each value.

    Args:
        directory: of the run.
    """

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
        """The rows so far."""
        return self._rows

    def set_state(self, rows: list[dict[str, float]]) -> None:
        """Writes the file anew with these rows; those of epochs that will be trained again fall away."""
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


class MovingAverage(keras.callbacks.SwapEMAWeights):
    """Validates and keeps the moving average of the weights, which `optimizer.use_ema` makes."""

    def __init__(self) -> None:
        super().__init__(swap_on_epoch=True)

    def get_state(self) -> bool:
        """Whether the network holds the averages now, and the optimizer the trained weights."""
        return bool(self._ema_weights_in_model)

    def set_state(self, swapped: bool) -> None:
        """Back to what `get_state` gave."""
        self._ema_weights_in_model = swapped

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Leaves the averages in the network: the end of the epoch, which follows, would take them back."""

    def _tf_swap_variables(self, optimizer: keras.optimizers.Optimizer) -> None:
        # Keras adds and subtracts weight by weight, which takes several times as long and rounds the trained weights.
        averages = [average.value for average in optimizer._model_variables_moving_average]
        _exchange([weight.value for weight in optimizer._trainable_variables], averages)

    def _finalize_ema_values(self) -> None:
        # Keras does this for the end of `fit`. Without it the trained weights are kept, and more epochs can follow.
        pass


def _exchanged(ones: list[tf.Variable], others: list[tf.Variable]) -> None:
    for one, other in zip(ones, others, strict=True):
        value = tf.identity(one)
        one.assign(other)
        other.assign(value)


_exchange = tf.function(_exchanged, autograph=False)
