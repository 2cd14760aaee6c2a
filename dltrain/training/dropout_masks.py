"""Records which units the first dropout layer drops in the first steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dltrain.base.errors import ConfigError
from dltrain.base.files import replace_file

FILE = "dropout_masks.json"  # in the directory of a run


class DropoutMasks(keras.callbacks.Callback):
    """Writes `dropout_masks.json`: for each of `steps` draws, whether each of at most `units` units is kept.

    The masks are those that the layer draws for the first row of a batch. Afterwards its random numbers begin where
    they began, so that the training is the same with and without the callback.
    """

    def __init__(self, directory: Path, network: keras.Model, batch_size: int, *, steps: int, units: int) -> None:
        super().__init__()
        layers = (layer for layer in network.layers if isinstance(layer, keras.layers.Dropout) and layer.rate)
        self._layer: Any = next(layers, None)
        if self._layer is None:
            raise ConfigError("callbacks.dropout_masks: the network drops no unit. Set model.dropout=0.5.")
        self.path = Path(directory) / FILE
        self._batch_size, self._steps, self._units = batch_size, steps, units

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        state = self._layer.seed_generator.state
        begun = np.array(state)
        ones = keras.ops.ones((self._batch_size, *self._layer.input.shape[1:]))
        masks = [np.asarray(self._layer(ones, training=True))[0].ravel()[: self._units] > 0 for _ in range(self._steps)]
        state.assign(begun)
        found = {"rate": self._layer.rate, "kept": [[int(each) for each in mask] for mask in masks]}
        with replace_file(self.path) as path:
            path.write_text(json.dumps(found) + "\n")
