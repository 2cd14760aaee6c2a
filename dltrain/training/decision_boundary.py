"""Records what a network answers over two columns, or along one, while it learns."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dltrain.base.errors import ConfigError
from dltrain.base.files import replace_file
from dltrain.preprocessing.prepared import Prepared
from dltrain.training.answer_grid import axis_of, checked_columns, grid_of, places_of, usual_cell

FILE = "decision_boundary.json"  # in the directory of a run
CELLS, CELLS_OF_UNITS = 48, 20  # of the grid in each direction; three times as many along a line
GROWTH = 1.2  # from one recorded epoch to the next: a network changes most in the first ones
MOST_FRAMES = 60
MOST_UNITS = 12  # of the first layer
MOST_POINTS = 400

Numbers = npt.NDArray[np.float64]


class DecisionBoundary(keras.callbacks.Callback):
    """Writes `decision_boundary.json`: answers on a grid over `columns` at some epochs, and those of the first units.

    `columns` are one or two; None takes the first two, numbers before categories. The other columns are held at their
    median or most frequent word of the train rows. `epochs` are those to record, from 1; None chooses all of the first
    ones and fewer later, about 27 of 300. The weights before the training and those that are kept are recorded too.

    Raises:
        ConfigError: If the data have no such columns, or the task is of several labels.
    """

    def __init__(
        self,
        directory: Path,
        data: Prepared,
        network: keras.Model,
        *,
        columns: Sequence[str] | None,
        epochs: Sequence[int] | None,
    ) -> None:
        super().__init__()
        self.path = Path(directory) / FILE
        self._chosen = None if epochs is None else _checked_epochs(epochs)
        if data.target.kind.labels:
            raise ConfigError("callbacks.decision_boundary: expected a task of one answer, got several labels a row.")
        names = checked_columns(columns, data.dataset)
        sample = data.sample("train", MOST_POINTS)
        self.frames: list[dict[str, Any]] = []
        self._kept = 0
        self._task, self._classes = data.target.kind, data.target.classes
        train = data.raw("train")
        axes = [axis_of(name, train) for name in names]
        held = {name: usual_cell(train, name) for name in train.columns if name not in names}
        truth = np.asarray(data.truth("train").values, np.float64)
        self._range = float(truth.min()), float(truth.max())
        self._both = len(axes) == 2
        cells, unit_cells = (each if self._both else 3 * each for each in (CELLS, CELLS_OF_UNITS))
        self._grid = data.preprocessing.transform(grid_of(train, axes, held, cells))
        self._unit_grid = data.preprocessing.transform(grid_of(train, axes, held, unit_cells))
        self._facts = {
            "cells": cells,
            "unit_cells": unit_cells,
            "axes": axes,
            "held": {name: value if isinstance(value, str) else float(value) for name, value in held.items()},
            "target": next(iter(data.dataset.target)),
            "classes": list(self._classes),
            "range": list(self._range),
            "points": {
                "places": [places_of(axis, sample.raw) for axis in axes],
                "target": [round(float(value), 6) for value in sample.truth.values],
            },
        }
        self._network, self._units = network, _first_units(network)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        if not self.frames:  # fine-tuning begins a second training
            self._record(0)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        number, last = epoch + 1, int(self.frames[-1]["epoch"])
        due = number >= round(GROWTH * last) if self._chosen is None else number in self._chosen
        if due and number > last and len(self.frames) < MOST_FRAMES:
            self._record(number)

    def on_weights_kept(self, epoch: int) -> None:
        """Called at the end of a completed training, when the network has the weights of the best epoch (from 1)."""
        self._kept = epoch
        if all(frame["epoch"] != epoch for frame in self.frames):
            self._record(epoch)
            self.frames.sort(key=lambda frame: int(frame["epoch"]))

    def get_state(self) -> list[dict[str, Any]]:
        """Returns the frames recorded so far."""
        return self.frames

    def set_state(self, frames: Sequence[dict[str, Any]]) -> None:
        """Restores what `get_state` returned."""
        self.frames = list(frames)

    def close(self) -> None:
        """Writes the file, also after a failure."""
        with replace_file(self.path) as path:
            path.write_text(json.dumps({**self._facts, "kept": self._kept, "frames": self.frames}) + "\n")

    def _record(self, epoch: int) -> None:
        answers = np.asarray(self._network(self._grid, training=False), np.float64)
        units: list[Any] = []
        if self._units is not None:
            values = np.asarray(self._units(self._unit_grid, training=False), np.float64)[:, :MOST_UNITS]
            units = [_plane(unit / max(float(np.abs(unit).max()), 1e-30), -1.0, 1.0, self._both) for unit in values.T]
        self.frames.append({"epoch": epoch, "answers": self._planes(answers), "units": units})

    def _planes(self, answers: Numbers) -> list[Any]:
        """Returns what is drawn: of two columns and several classes the class and its probability, else the answer."""
        if not self._both:
            shown = answers if self._task.several_classes else answers[:, :1]
            return [_plane(column, 0.0, 1.0, False) for column in shown.T]
        if self._task.several_classes:
            place = answers.argmax(axis=1)
            return [_plane(place, 0.0, 255.0, True), _plane(answers.max(axis=1), 0.0, 1.0, True)]
        low, high = (0.0, 1.0) if self._classes else self._range
        return [_plane(answers[:, 0], low, high, True)]


def _plane(values: npt.NDArray[Any], low: float, high: float, in_bytes: bool) -> Any:
    """Returns numbers as base64 of bytes from `low` (0) to `high` (255), or as a list of four digits each."""
    finite = np.nan_to_num(values.astype(np.float64))
    if not in_bytes:
        return [float(f"{value:.4g}") for value in finite]
    scaled = np.rint(255 * (finite - low) / (high - low if high > low else 1.0)).clip(0, 255)
    return base64.b64encode(scaled.astype(np.uint8).tobytes()).decode()


def _checked_epochs(epochs: Sequence[int]) -> frozenset[int]:
    if not 0 < len(epochs) < MOST_FRAMES or not all(isinstance(each, int) and each > 0 for each in epochs):
        raise ConfigError(
            f"callbacks.decision_boundary.epochs: expected 1 to {MOST_FRAMES - 1} whole numbers above 0, or null "
            f"for those that are chosen; got {list(epochs)}."
        )
    return frozenset(epochs)


def _first_units(network: keras.Model) -> keras.Model | None:
    """Returns a model of the first dense layer up to its activation; None without a hidden layer."""
    dense = [place for place, layer in enumerate(network.layers) if isinstance(layer, keras.layers.Dense)]
    if len(dense) < 2 or len(network.layers[dense[0]].output.shape) != 2:
        return None  # the head alone, or a layer that is applied to several parts of a row
    between = network.layers[dense[0] : dense[1]]
    last = max((place for place, layer in enumerate(between) if isinstance(layer, keras.layers.Activation)), default=0)
    return keras.Model(network.input, between[last].output)
