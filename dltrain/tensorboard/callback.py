"""Decides what is written for TensorBoard and when."""

from __future__ import annotations

import math
from pathlib import Path

import keras
import numpy as np

from dltrain.engine.layer_statistics import send_through
from dltrain.preprocessing.prepared import Prepared
from dltrain.preprocessing.sample import Sample
from dltrain.tensorboard.events import Events
from dltrain.tensorboard.graph import graph_of
from dltrain.tensorboard.pictures import before_and_after, worst_mistakes
from dltrain.tensorboard.projector import project
from dltrain.training.augmentation import Augmentation

HISTOGRAM_ROWS = 256
HISTOGRAM_INPUTS = 2**20  # numbers in these rows at most; the layers of an image network make many times as many


class TensorBoard(keras.callbacks.Callback):
    """Writes curves of train and validation, the layers, histograms, embeddings, and images with large losses.

    Graph and config are written when the training begins, curves after each epoch. Embeddings and mistakes are of
    validation rows with the kept weights. `histograms` (weights, activations, gradients) are written after the first
    epoch and then after every so many; `embeddings`, `augmented` and `mistakes` are numbers of rows or images at most.
    None turns each off.
    """

    def __init__(
        self,
        directory: Path,
        data: Prepared,
        network: keras.Model,
        augmentation: Augmentation | None = None,
        *,
        histograms: int | None,
        embeddings: int | None,
        augmented: int | None,
        mistakes: int | None,
    ) -> None:
        super().__init__()
        self.directory = Path(directory) / "tensorboard"
        self._network, self._augmentation, self._augmented = network, augmentation, augmented
        self._data, self._histograms, self._embeddings, self._mistakes = data, histograms, embeddings, mistakes
        self._events: dict[str, Events] = {}
        self._batch: Sample | None = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        if self._events:
            return  # fine-tuning begins a second training
        self._events = {part: Events(self.directory / part) for part in ("train", "validation")}
        self._events["train"].graph(graph_of(self._network))
        config = self.directory.parent / "config.yaml"
        if config.exists():  # the folds of a run have no config of their own
            self._events["train"].text("config", config.read_text("utf-8"))
        if self._augmentation is not None and self._augmented is not None:
            pairs = before_and_after(self._augmentation, self._data, most=self._augmented)
            for place, (title, pixels) in enumerate(pairs, 1):
                self._events["train"].image(f"augmentation/{place:02}", title, pixels, 0)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        values: dict[str, dict[str, float]] = {"train": {}, "validation": {}}
        for name, value in (logs or {}).items():
            part = "validation" if name.startswith("val_") else "train"
            values[part][name.removeprefix("val_")] = value
        for part, points in values.items():
            self._events[part].scalars(points, epoch + 1)
        if self._histograms is not None and epoch % self._histograms == 0:
            self._write_histograms(epoch + 1)

    def on_weights_kept(self, epoch: int) -> None:
        """Called at the end of a completed training, when the network has the weights of the best epoch (from 1)."""
        if not len(self._data.split.validation):
            return
        if self._embeddings is not None:
            project(self._network, self._data, self.directory / "validation", most=self._embeddings)
        if self._mistakes is not None:
            for rank, (title, pixels) in enumerate(worst_mistakes(self._network, self._data, most=self._mistakes), 1):
                self._events["validation"].image(f"mistakes/{rank:02}", title, pixels, epoch)

    def close(self) -> None:
        """Closes the files, also after a failure."""
        for events in self._events.values():
            events.close()
        self._events = {}

    def _write_histograms(self, epoch: int) -> None:
        # The same rows each time, so that epochs can be compared.
        batch = self._batch = self._batch or self._data.sample("train", _rows_at_once(self._network))
        outputs, gradients = send_through(self._network, batch.features, batch.truth.column, training=False)
        write = self._events["train"].histogram
        for name, values in outputs.items():
            write(f"activations/{name}", values, epoch)
        for weight in self._network.weights:
            if keras.backend.is_float_dtype(weight.dtype):
                write(f"weights/{weight.path}", np.asarray(weight), epoch)
        for weight in self._network.trainable_variables:
            write(f"gradients/{weight.path}", gradients[id(weight)], epoch)


def _rows_at_once(network: keras.Model) -> int:
    width: int = max(math.prod(tensor.shape[1:]) for tensor in network.inputs)
    return max(1, min(HISTOGRAM_ROWS, HISTOGRAM_INPUTS // width))
