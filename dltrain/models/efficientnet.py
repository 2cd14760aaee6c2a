"""EfficientNet (Tan & Le 2019): a network that has seen ImageNet, below a head of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from dltrain.data.storage import data_directory
from dltrain.errors import ConfigError, DataError
from dltrain.models.parts import Head, Inputs

URL = "https://storage.googleapis.com/keras-applications/"
LEAST_PIXELS = 32
BACKBONE = "backbone"
FEATURES = "features"
# Of ImageNet's colours from 0 to 1. Keras divides by the root of the deviation twice where it loads these weights
# itself, since they were trained so; the same is done here for weights from a file.
MEAN = (0.485, 0.456, 0.406)
ROOTS = tuple(deviation**0.5 for deviation in (0.229, 0.224, 0.225))


def efficientnet(
    inputs: Inputs,
    head: Head,
    *,
    variant: str,
    weights: str,
    dropout: float,
    fine_tune_layers: int,
    fine_tune_epochs: int,
    fine_tune_learning_rate: float,
) -> Any:
    """The average over the last feature maps, dropout, and the head.

    With weights of its own the backbone stays fixed while the head is trained; `dltrain.training.transfer` then
    fine-tunes its top layers. Without, everything is trained from the start.

    Args:
        inputs: the feature tensors, with `image` from 0 to 255 (scaling=none).
        head: the last layer.
        variant: B0 to B7.
        weights: imagenet, none, or a file of weights without the top (.h5 or .keras).
        dropout: share of the features dropped in training.
        fine_tune_layers: of the second part of the training; read there.
        fine_tune_epochs: likewise.
        fine_tune_learning_rate: likewise.

    Raises:
        ConfigError: there are no images, they are too small, or the weights do not fit.
        DataError: the weights cannot be downloaded.
    """
    del fine_tune_layers, fine_tune_epochs, fine_tune_learning_rate
    if "image" not in inputs:
        raise ConfigError("model=efficientnet needs images, and this dataset has none. Use model=mlp.")
    image = inputs["image"]
    height, width, channels = image.shape[1:]
    if min(height, width) < LEAST_PIXELS:
        raise ConfigError(
            f"model=efficientnet: images of {height} x {width} pixels are too small, expected {LEAST_PIXELS} "
            "at least. Set a larger dataset.size where the dataset has one, or use model=cnn."
        )
    if channels == 1:
        image = keras.layers.Concatenate(name="grey_to_colour")([image] * 3)
    make = getattr(keras.applications, f"EfficientNet{variant}")
    backbone = make(include_top=False, weights=None, input_shape=(height, width, 3), name=BACKBONE)
    if weights != "none":
        file = _imagenet(variant) if weights == "imagenet" else Path(weights).expanduser()
        _load(backbone, file, variant)
        backbone.trainable = False
        # Mean and variance of the file stand behind this, so that the second division moves the mean as well.
        offset = [255 * mean * (1 - 1 / root) for mean, root in zip(MEAN, ROOTS, strict=True)]
        image = keras.layers.Rescaling([1 / root for root in ROOTS], offset, name="as_trained")(image)
    hidden = keras.layers.GlobalAveragePooling2D(name=FEATURES)(backbone(image))
    if dropout:
        hidden = keras.layers.Dropout(dropout)(hidden)
    return head(hidden)


def _imagenet(variant: str) -> Path:
    name = f"efficientnet{variant.lower()}_notop.h5"
    folder = data_directory() / "efficientnet"
    for found in (folder / name, Path.home() / ".keras" / "models" / name):
        if found.is_file():
            return found
    try:
        from keras.src.applications.efficientnet import WEIGHTS_HASHES

        return Path(
            keras.utils.get_file(
                name, URL + name, cache_dir=folder, cache_subdir=".", file_hash=WEIGHTS_HASHES[variant.lower()][1]
            )
        )
    except Exception as error:  # the network fails in many ways, all with one remedy
        raise DataError(
            f"model.weights=imagenet: {URL + name} cannot be downloaded ({str(error).splitlines()[0]}). "
            f"Put {name} into {folder}, set model.weights to where it is, or take model.weights=none, which starts "
            "from random weights."
        ) from None


def _load(backbone: keras.Model, file: Path, variant: str) -> None:
    if not file.is_file():
        raise ConfigError(f"model.weights={file}: expected imagenet, none, or a file; there is no {file.absolute()}.")
    try:
        backbone.load_weights(file)
    except Exception as error:  # another file, another network: HDF5 and Keras say it in many ways
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ConfigError(
            f"model.weights={file}: not the weights of EfficientNet{variant} without its top: {reason}"
        ) from None
