"""Runs the gradient check of `dltrain check` before a training and keeps its result for the report."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from pathlib import Path

import keras
from omegaconf import DictConfig

from dltrain.base.files import replace_file
from dltrain.engine.gradients import ROWS, check_gradients, double_precision
from dltrain.engine.read_numbers import plain_numbers
from dltrain.models.network import build_loss
from dltrain.preprocessing.prepared import Prepared

logger = logging.getLogger("dltrain")

FILE = "gradient_check.json"  # in the directory of a run


class GradientCheck(keras.callbacks.Callback):
    """Compares automatic and numeric gradients of a copy of the network before its first step."""

    def __init__(self, directory: Path, data: Prepared, network: keras.Model, task: DictConfig, seed: int) -> None:
        super().__init__()
        self.path = Path(directory) / FILE
        self._data, self._network, self._task, self._seed = data, network, task, seed

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        if self.path.exists():  # the run was resumed, or fine-tuning begins a second training
            return
        rows = self._data.sample("train", ROWS)
        weights = self._network.get_weights()
        with double_precision(), plain_numbers(self._network):
            copy = keras.models.clone_model(
                self._network,
                clone_function=lambda layer: type(layer).from_config({**layer.get_config(), "dtype": "float64"}),
            )
            copy.set_weights(weights)
            copy.compile(loss=build_loss(self._task, rows.truth))
            found = check_gradients(copy, rows.features, rows.truth.column, self._seed)
        logger.info(found.text)
        with replace_file(self.path) as path:
            path.write_text(json.dumps(asdict(found), indent=2) + "\n")
