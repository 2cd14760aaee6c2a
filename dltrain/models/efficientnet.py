"""Builds EfficientNet (Tan & Le 2019), pretrained on ImageNet or not, below the task's head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from dltrain.base.errors import ConfigError, DataError
from dltrain.base.regular_file import is_reachable
from dltrain.data.storage import data_directory
from dltrain.internals.keras_networks import hash_of_efficientnet
from dltrain.models.parts import Head, Inputs

URL = "https://storage.googleapis.com/keras-applications/"
LEAST_PIXELS = 32
BACKBONE = "backbone"
FEATURES = "features"
AS_TRAINED = "as_trained"
# Keras trained these weights on colours from 0 to 1 that were divided twice by the root of their deviation, and does so
# again when it loads them itself. Here it is done for weights from a file.
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
    """Averages the last feature maps and adds dropout and the head; images below 32 pixels are enlarged.

    `inputs` needs images from 0 to 255 (scaling=none). With pretrained weights the backbone is frozen while the head
    trains; `dltrain.training.transfer` then fine-tunes its top layers by the `fine_tune` options, which are not used
    here. The options are explained in conf/model/efficientnet.yaml.
    """
    if "image" not in inputs:
        raise ConfigError("model=efficientnet needs images, and this dataset has none. Use model=mlp.")
    image = inputs["image"]
    if min(image.shape[1:3]) < LEAST_PIXELS:
        sides = [max(side, LEAST_PIXELS) for side in image.shape[1:3]]
        image = keras.layers.Resizing(*sides, name="enlarged")(image)
    height, width, channels = image.shape[1:]
    if channels == 1:
        image = keras.layers.Concatenate(name="grey_to_colour")([image] * 3)
    make = getattr(keras.applications, f"EfficientNet{variant}")
    backbone = make(include_top=False, weights=None, input_shape=(height, width, 3), name=BACKBONE)
    if weights != "none":
        file = _imagenet(variant) if weights == "imagenet" else Path(weights).expanduser()
        of_imagenet = _load(backbone, file, variant)
        backbone.trainable = False
        if of_imagenet:
            # The file's own mean and variance come after this layer, so that the second division has to move the mean
            # too.
            offset = [255 * mean * (1 - 1 / root) for mean, root in zip(MEAN, ROOTS, strict=True)]
            image = keras.layers.Rescaling([1 / root for root in ROOTS], offset, name=AS_TRAINED)(image)
    hidden = keras.layers.GlobalAveragePooling2D(name=FEATURES)(backbone(image))
    if dropout:
        hidden = keras.layers.Dropout(dropout)(hidden)
    return head(hidden)


def _imagenet(variant: str) -> Path:
    name = f"efficientnet{variant.lower()}_notop.h5"
    folder = data_directory() / "efficientnet"
    for found in (folder / name, Path("~/.keras/models", name)):
        if is_reachable(found):
            return found.expanduser()
    try:
        digest = hash_of_efficientnet(variant.lower())
        return Path(keras.utils.get_file(name, URL + name, cache_dir=folder, cache_subdir=".", file_hash=digest))
    except Exception as error:  # the network fails in many ways, all with one remedy
        raise DataError(
            f"model.weights=imagenet: {URL + name} cannot be downloaded ({str(error).splitlines()[0]}). "
            f"Put {name} into {folder}, set model.weights to where it is, or take model.weights=none, which starts "
            "from random weights."
        ) from None


def _load(backbone: keras.Model, file: Path, variant: str) -> bool:
    """Loads weights into the backbone; returns whether they expect images scaled as for ImageNet."""
    if not file.is_file():
        raise ConfigError(f"model.weights={file}: expected imagenet, none, or a file; there is no {file.absolute()}.")
    try:
        if file.suffix != ".keras" or (layers := _layers_of_run(file)) is None:
            backbone.load_weights(file)
            return True
        backbone.set_weights(layers[BACKBONE].get_weights())
        return AS_TRAINED in layers
    except Exception as error:  # HDF5 and Keras report another network in many ways
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ConfigError(
            f"model.weights={file}: not the weights of EfficientNet{variant} without its top: {reason}"
        ) from None


def _layers_of_run(file: Path) -> dict[str, Any] | None:
    """Returns the layers of a run's network by name, or None if the file is no model with a backbone."""
    model = keras.models.load_model(file, compile=False, safe_mode=True)
    found = {layer.name: layer for inner in (model, *model.layers) for layer in getattr(inner, "layers", ())}
    return found if BACKBONE in found else None
