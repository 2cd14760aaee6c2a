"""Records what the augmentation makes of a few train images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dltrain.base.errors import ConfigError
from dltrain.base.files import replace_file
from dltrain.preprocessing.prepared import Prepared
from dltrain.training.augmentation import Augmentation

FILE = "augmented_images.npz"  # in the directory of a run


class AugmentedImages(keras.callbacks.Callback):
    """Writes `augmented_images.npz` with `images`, (images, 1 + versions, height, width, channels) from 0 to 255.

    The first of each row is the image itself, the others are what it becomes in the first steps of the training.
    """

    def __init__(
        self, directory: Path, data: Prepared, augmentation: Augmentation | None = None, *, images: int, versions: int
    ) -> None:
        super().__init__()
        if "image" not in data.preprocessing.model.output:
            raise ConfigError("callbacks.augmented_images: this dataset has no images. Leave it out.")
        self.path = Path(directory) / FILE
        self._data, self._augmentation, self._images, self._versions = data, augmentation, images, versions

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        low, high = self._data.preprocessing.pixel_range(self._data.raw("train"))
        features = {"image": tf.constant(self._data.sample("train", self._images).features["image"])}
        rows: list[Any] = [features["image"]]
        for step in range(self._versions):
            changed = features if self._augmentation is None else self._augmentation(features, None, step)[0]
            rows.append(changed["image"])
        pixels = 255 * (np.stack(rows, axis=1) - low) / (high - low)
        with replace_file(self.path) as path, path.open("wb") as file:
            np.savez_compressed(file, images=pixels.round().clip(0, 255).astype(np.uint8))
