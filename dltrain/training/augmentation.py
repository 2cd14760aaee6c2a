"""Changes the images of a training batch inside the graph: rotates, mirrors, crops, recolours, mixes.

It is not applied to validation and test rows and is no part of model.keras.
"""

from __future__ import annotations

import zlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from omegaconf import DictConfig

from dltrain.base.errors import ConfigError
from dltrain.base.own_code import raised_in_own_code
from dltrain.config.build import build
from dltrain.internals.keras_training import all_layers
from dltrain.preprocessing.prepared import Prepared


class StepSeeds(keras.random.SeedGenerator):
    """Random numbers determined by seed and step alone, so that a resumed training continues with the same ones.

    `seed` identifies the run and the position in the chain of layers.
    """

    def __init__(self, seed: str) -> None:
        super().__init__(seed=0)
        self._seed = seed
        self._step: Any = 0
        self._drawn = 0

    def begin(self, step: Any) -> None:
        """Starts a batch; `step`, a scalar tensor, is the number of steps so far."""
        self._step, self._drawn = tf.cast(step, tf.int32), 0

    def next(self, ordered: bool = True) -> Any:
        """Returns the seed of the next draw, shape (2,) int32."""
        self._drawn += 1
        number = zlib.crc32(f"{self._seed} {self._drawn}".encode()) >> 1
        return tf.stack([tf.constant(number, tf.int32), self._step])


@keras.saving.register_keras_serializable("dltrain")
class RandomCrop(keras.layers.Layer):
    """Crops each image at a random position and resizes it to the original size.

    `smallest` is the lowest share, above 0 and at most 1, of height and width that is kept.
    """

    def __init__(self, *, smallest: float, seed: int | None = None) -> None:
        super().__init__()
        if not 0 < smallest <= 1:
            raise ValueError(f"smallest: expected a share above 0 and of at most 1, got {smallest}.")
        self.smallest = smallest
        self.generator: Any = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = True) -> Any:
        """Takes and returns images of shape (batch, height, width, channels)."""
        if not training:
            return images
        rows = keras.ops.shape(images)[0]
        side = keras.random.uniform((rows, 1), self.smallest, 1.0, seed=self.generator)
        corner = keras.random.uniform((rows, 2), seed=self.generator) * (1 - side)
        boxes = keras.ops.concatenate([corner, corner + side], axis=1)
        return tf.image.crop_and_resize(images, boxes, tf.range(rows), images.shape[1:3])


class MixUp:
    """Blends each image with another one of its batch and weights its target accordingly (Zhang et al. 2018).

    Two rows of a batch become the same blend, and the loss of each against its own target is weighted with its share.
    That equals the loss against blended targets for every loss that is linear in them. Train metrics use each row's own
    target and are therefore lower than those of the validation part. `alpha` above 0 is the parameter of the Beta
    distribution that draws the shares; a small one keeps most images nearly unchanged.
    """

    def __init__(self, *, alpha: float, seed: int | None = None) -> None:
        if alpha <= 0:
            raise ValueError(f"alpha: expected a number above 0, got {alpha}.")
        self.alpha = alpha
        self.generator: Any = keras.random.SeedGenerator(seed)

    def __call__(self, images: Any) -> tuple[Any, Any]:
        """Returns the blends and the weight of each row, shape (batch,), whose mean is 1."""
        rows = tf.shape(images)[0]
        drawn = keras.random.beta((rows,), self.alpha, self.alpha, seed=self.generator)
        place = tf.range(rows)
        # The last row is the partner of the first and gets the other share; a row in the middle is not blended.
        share = tf.where(2 * place < rows, drawn, 1 - tf.reverse(drawn, [0]))
        share = tf.where(2 * place == rows - 1, 0.5, share)
        by_row = share[:, None, None, None]
        return by_row * images + (1 - by_row) * tf.reverse(images, [0]), 2 * share


class Augmentation:
    """A chain of changes to the images of a training batch.

    `changes` are named layers on images whose bytes 0 to 255 became 0 to 1, and mix-up; `low` and `high` are the
    features of the bytes 0 and 255 for each channel.
    """

    def __init__(self, changes: dict[str, Any], low: Any, high: Any, seed: int) -> None:
        self.low, self.stretch = tf.constant(low, tf.float32), tf.constant(high - low, tf.float32)
        self.changes = changes
        self._seeds: list[StepSeeds] = []
        for name, change in changes.items():
            for place, part in enumerate([change, *(all_layers(change) if isinstance(change, keras.Layer) else [])]):
                if hasattr(part, "generator"):
                    part.generator = StepSeeds(f"{seed} {name} {place}")
                    self._seeds.append(part.generator)

    def __call__(self, features: dict[str, Any], weights: Any, step: Any) -> tuple[dict[str, Any], Any]:
        """Returns a batch's features with changed images, and the weights of its rows, None or shape (batch,).

        `step` is the number of steps trained before.
        """
        for seeds in self._seeds:
            seeds.begin(step)
        images = (features["image"] - self.low) / self.stretch
        for name in self.changes:
            images, weights = self.change(name, images, weights)
        return features | {"image": images * self.stretch + self.low}, weights

    def change(self, name: str, images: Any, weights: Any) -> tuple[Any, Any]:
        """Applies one change to images from 0 to 1 of shape (batch, height, width, channels)."""
        change = self.changes[name]
        if not isinstance(change, MixUp):
            return change(images, training=True), weights
        images, shares = change(images)
        return images, shares if weights is None else weights * shares


def build_augmentation(nodes: DictConfig, data: Prepared, seed: int) -> Augmentation | None:
    """Builds and tries the augmentation of a config; returns None if none is chosen. A layer set to null is left out.

    Raises:
        ConfigError: If the data has no images, or a layer cannot change them.
    """
    chosen = {str(name): node for name, node in nodes.items() if node is not None}
    if not chosen:
        return None
    others = sorted(set(data.preprocessing.model.output) - {"image"})
    if "image" not in data.preprocessing.model.output:
        raise ConfigError(f"augmentation={','.join(chosen)} has no effect: this dataset has no images. Leave it out.")
    changes = {name: build(node, key=f"augmentation.{name}", seed=seed) for name, node in chosen.items()}
    if others and any(isinstance(change, MixUp) for change in changes.values()):
        raise ConfigError("augmentation: mix-up blends images alone, and this dataset has other columns beside them.")
    low, high = data.preprocessing.pixel_range(data.raw("train"))
    augmentation = Augmentation(changes, low, high, seed)
    sample = tf.zeros((2, *data.preprocessing.model.output["image"].shape[1:]))
    for name in changes:
        try:
            changed, _ = augmentation.change(name, sample, None)
        except Exception as error:  # a layer may refuse images in any way
            if raised_in_own_code(error):
                raise
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ConfigError(
                f"augmentation.{name}: {chosen[name]['_target_']} cannot change images of {_shape(sample)}: {reason}"
            ) from error
        if changed.shape != sample.shape:
            raise ConfigError(
                f"augmentation.{name}: {chosen[name]['_target_']} makes images of {_shape(changed)} out of "
                f"{_shape(sample)}; expected the same size."
            )
    return augmentation


def _shape(images: Any) -> str:
    return " x ".join(map(str, np.shape(images)[1:]))
