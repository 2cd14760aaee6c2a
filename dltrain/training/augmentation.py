"""New images out of those of a training batch, inside the graph: turned, mirrored, cropped, recoloured, mixed.

Validation, test and model.keras never see it.
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


class Draws(keras.random.SeedGenerator):
    """Random numbers that follow from seed and step alone, so that a resumed training goes on with the same ones.

    Args:
        seed: of the run, and of the place in the chain of layers.
    """

    def __init__(self, seed: str) -> None:
        super().__init__(seed=0)
        self._seed = seed
        self._step: Any = 0
        self._drawn = 0

    def begin(self, step: Any) -> None:
        """Called before each batch with the number of steps so far, a scalar tensor."""
        self._step, self._drawn = tf.cast(step, tf.int32), 0

    def next(self, ordered: bool = True) -> Any:
        """The seed of the next draw, shape (2,) int32."""
        self._drawn += 1
        number = zlib.crc32(f"{self._seed} {self._drawn}".encode()) >> 1
        return tf.stack([tf.constant(number, tf.int32), self._step])


@keras.saving.register_keras_serializable("dltrain")
class RandomCrop(keras.layers.Layer):
    """A part of each image at a random place, stretched to the whole size.

    Args:
        smallest: the least share of height and width that is kept.
        seed: of the places.
    """

    def __init__(self, *, smallest: float, seed: int | None = None) -> None:
        super().__init__()
        if not 0 < smallest <= 1:
            raise ValueError(f"smallest: expected a share above 0 and of at most 1, got {smallest}.")
        self.smallest = smallest
        self.generator: Any = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = True) -> Any:
        """Images of shape (batch, height, width, channels), of the same shape again."""
        if not training:
            return images
        rows = keras.ops.shape(images)[0]
        side = keras.random.uniform((rows, 1), self.smallest, 1.0, seed=self.generator)
        corner = keras.random.uniform((rows, 2), seed=self.generator) * (1 - side)
        boxes = keras.ops.concatenate([corner, corner + side], axis=1)
        return tf.image.crop_and_resize(images, boxes, tf.range(rows), images.shape[1:3])


class MixUp:
    """Each image is blended with another one of its batch, and counts as much for its target (Zhang et al. 2018).

    Two rows of a batch become the same blend; the loss of each against its own target is weighted with its share, which
    is the loss against the blended targets for every loss that is linear in them. Metrics of the train rows go by the
    own target of each, so that they stay below those of the validation.

    Args:
        alpha: of the Beta distribution that shares are drawn from; small keeps most images nearly as they are.
        seed: of the shares.
    """

    def __init__(self, *, alpha: float, seed: int | None = None) -> None:
        if alpha <= 0:
            raise ValueError(f"alpha: expected a number above 0, got {alpha}.")
        self.alpha = alpha
        self.generator: Any = keras.random.SeedGenerator(seed)

    def __call__(self, images: Any) -> tuple[Any, Any]:
        """The blends, and the weight of each row, shape (batch,), 1 in the mean."""
        rows = tf.shape(images)[0]
        drawn = keras.random.beta((rows,), self.alpha, self.alpha, seed=self.generator)
        place = tf.range(rows)
        # The last row is the first one's partner and has the other share; a row in the middle stays by itself.
        share = tf.where(2 * place < rows, drawn, 1 - tf.reverse(drawn, [0]))
        share = tf.where(2 * place == rows - 1, 0.5, share)
        by_row = share[:, None, None, None]
        return by_row * images + (1 - by_row) * tf.reverse(images, [0]), 2 * share


class Augmentation:
    """The chain of changes that a training batch goes through.

    Args:
        changes: layers from images to images whose bytes 0 to 255 have become 0 to 1, and mix-up, by name.
        low: the feature that a byte of 0 has become, by channel.
        high: the same for 255.
        seed: of the run.
    """

    def __init__(self, changes: dict[str, Any], low: Any, high: Any, seed: int) -> None:
        self.low, self.stretch = tf.constant(low, tf.float32), tf.constant(high - low, tf.float32)
        self.changes = changes
        self._draws: list[Draws] = []
        for name, change in changes.items():
            for place, part in enumerate([change, *(all_layers(change) if isinstance(change, keras.Layer) else [])]):
                if hasattr(part, "generator"):
                    part.generator = Draws(f"{seed} {name} {place}")
                    self._draws.append(part.generator)

    def __call__(self, features: dict[str, Any], weights: Any, step: Any) -> tuple[dict[str, Any], Any]:
        """A batch's features with other images, and the weights of its rows; None or of shape (batch,).

        Args:
            features: by name, with `image`.
            weights: of the rows, or None.
            step: how many steps were trained before.
        """
        for draws in self._draws:
            draws.begin(step)
        images = (features["image"] - self.low) / self.stretch
        for name in self.changes:
            images, weights = self.change(name, images, weights)
        return features | {"image": images * self.stretch + self.low}, weights

    def change(self, name: str, images: Any, weights: Any) -> tuple[Any, Any]:
        """One of the changes, on images from 0 to 1 of shape (batch, height, width, channels)."""
        change = self.changes[name]
        if not isinstance(change, MixUp):
            return change(images, training=True), weights
        images, shares = change(images)
        return images, shares if weights is None else weights * shares


def build_augmentation(nodes: DictConfig, data: Prepared, seed: int) -> Augmentation | None:
    """The augmentation of a config, tried out; None where none is chosen.

    Args:
        nodes: layers by name; null leaves one out.
        data: with images.
        seed: of the run.

    Raises:
        ConfigError: the data has no images, or a layer cannot work with them.
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
        except Exception as error:  # whatever a layer does not take
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
