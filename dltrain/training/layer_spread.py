"""Records how outputs and gradients of each layer are distributed before the training and with the kept weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dltrain.base.files import replace_file
from dltrain.engine.layer_statistics import send_through
from dltrain.preprocessing.prepared import Prepared

FILE = "layers.json"  # in the directory of a run
ROWS = 128
KERNEL = 40
LOWEST, HIGHEST, WIDTH = -12.0, 12.0, 0.25  # of the histograms, in powers of ten


class LayerSpread(keras.callbacks.Callback):
    """Writes `layers.json` with a histogram of outputs and one of gradients for each layer with a kernel.

    The histograms are of log10 |value| with the same bins for all layers and runs, because signals vanish or explode by
    a factor from layer to layer, which is a shift on this scale. Of the first kernel, at most `KERNEL` inputs and units
    are written as they are.
    """

    def __init__(self, directory: Path, data: Prepared, network: keras.Model) -> None:
        super().__init__()
        self.path = Path(directory) / FILE
        self._data, self._network = data, network
        self.moments: dict[str, Any] = {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        if "before" not in self.moments:  # fine-tuning begins a second training
            self.moments["before"] = self._histograms()
            self.moments["kernels"] = {"before": self._first_kernel()}

    def on_weights_kept(self, epoch: int) -> None:
        """Called at the end of a completed training, when the network has the weights of the best epoch (from 1)."""
        self.moments["after"] = self._histograms()
        if "kernels" in self.moments:  # not in the state of a run that an earlier version began
            self.moments["kernels"]["after"] = self._first_kernel()
        with replace_file(self.path) as path:
            path.write_text(json.dumps({"rows": ROWS, **self.moments}) + "\n")

    def get_state(self) -> dict[str, Any]:
        """Returns the histograms recorded so far."""
        return self.moments

    def set_state(self, moments: Mapping[str, Any]) -> None:
        """Restores what `get_state` returned."""
        self.moments = dict(moments)

    def _first_kernel(self) -> list[list[float]]:
        """Returns the start of the first kernel, (inputs, units); that of a convolution has an input for each pixel."""
        weights = (weight for layer in self._network.layers for weight in layer.trainable_variables)
        kernel = next((np.array(weight) for weight in weights if len(weight.shape) > 1), np.zeros((0, 0)))
        start = kernel.reshape(-1, kernel.shape[-1])[:KERNEL, :KERNEL]
        return [[float(f"{value:.4g}") for value in row] for row in start]

    def _histograms(self) -> list[dict[str, Any]]:
        rows = self._data.sample("train", ROWS)
        outputs, gradients = send_through(self._network, rows.features, rows.truth.column, training=False)
        found: list[dict[str, Any]] = []
        for layer in self._network.layers:
            kernels = [weight for weight in layer.trainable_variables if len(weight.shape) > 1]
            if kernels:
                slopes = np.concatenate([gradients[id(kernel)].ravel() for kernel in kernels])
                found.append({"name": layer.name, "outputs": None, "gradients": spread(slopes)})
            # Layers up to the next kernel belong to this one: normalization and activation.
            if found and layer.name in outputs:
                found[-1]["outputs"] = spread(outputs[layer.name])
        return [each for each in found if each["outputs"] is not None]


def spread(values: npt.NDArray[Any]) -> dict[str, Any]:
    """Returns a histogram of log10 |value| over all values that are not zero.

    Its keys are `first`, the lower edge of the first bin with a value; `shares` of all values in the bins from there
    on; `zero`, the share of zeros; and `sd`, the standard deviation of the values.
    """
    flat = np.abs(values.astype(np.float64).ravel())
    powers = np.log10(flat[(flat > 0) & np.isfinite(flat)]).clip(LOWEST, HIGHEST - WIDTH)
    counts, edges = np.histogram(powers, np.arange(LOWEST, HIGHEST + WIDTH / 2, WIDTH))
    held = np.flatnonzero(counts)
    kept = slice(held[0], held[-1] + 1) if len(held) else slice(0, 0)
    return {
        "first": float(edges[kept.start]),
        "shares": [round(float(share), 5) for share in counts[kept] / max(1, len(flat))],
        "zero": float(np.mean(flat == 0)),
        "sd": float(values.std(dtype=np.float64)),
    }
