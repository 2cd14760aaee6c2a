"""Builds convolutional networks for images; conf/model/cnn.yaml explains their options."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras

from dltrain.base.errors import ConfigError
from dltrain.models.mlp import dense_stack
from dltrain.models.parts import Head, Inputs, Regularizers

POOLINGS = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D, "none": None}
ENDS = {
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
    "flatten": keras.layers.Flatten,
}

SMALLEST = 4  # pixels of the last map of a network that follows the size of the images
WIDEST = 128  # channels of its stages
LARGE = 64  # pixels of a side, above which its first convolution has stride 2


def cnn(
    inputs: Inputs,
    head: Head,
    *,
    filters: Sequence[int] | str,
    kernel_size: int,
    activation: str,
    pooling: str,
    residual: bool,
    end: str,
    units: Sequence[int],
    dropout: float,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
    normalization: Callable[[], Any] | None,
) -> Any:
    """Builds stages of convolution, normalization and activation, each followed by pooling, then dense layers.

    Convolutions have stride 1 and keep the size; pooling halves it, rounded up. A residual stage is two convolutions
    with a shortcut (He et al. 2015). Numbers and categories join after the convolutions. `filters` auto has as many
    stages as leave four pixels or so, and its first convolution has stride 2 on sides of more than 64 pixels.
    """
    if "image" not in inputs:
        raise ConfigError("model=cnn needs images, and this dataset has none. Use model=mlp, or text_bag for text.")
    hidden = inputs["image"]
    height, width = hidden.shape[1:3]
    stride = 2 if filters == "auto" and min(height, width) > LARGE else 1
    filters = channels_for(height, width) if isinstance(filters, str) else filters
    height, width = -(-height // stride), -(-width // stride)
    pools = sum(1 for _ in filters) if POOLINGS[pooling] else 0
    if pools and min(height, width) <= 2 ** (pools - 1):
        raise ConfigError(
            f"model=cnn: images of {height} x {width} pixels are too small for {pools} poolings by 2 (one a number in "
            f"model.filters); expected {2 ** (pools - 1) + 1} pixels at least. Give fewer model.filters, a larger "
            "dataset.size, or model.pooling=none."
        )

    def convolution(tensor: Any, channels: int, size: int = kernel_size, strides: int = 1) -> Any:
        norm = _for_images(normalization)
        # Normalization by channel subtracts any bias, so there is none.
        bias = norm is None or regularizer.bias is not None
        own = regularizer.arguments(initializer)
        tensor = keras.layers.Conv2D(channels, size, strides, padding="same", use_bias=bias, **own)(tensor)
        return tensor if norm is None else norm(tensor)

    for stage, channels in enumerate(filters):
        strides = 1 if stage else stride
        if residual:
            inner = keras.layers.Activation(activation)(convolution(hidden, channels, strides=strides))
            inner = convolution(inner, channels)
            # A convolution of one pixel gives the shortcut the channels of the stage.
            alike = hidden.shape[-1] == channels and strides == 1
            shortcut = hidden if alike else convolution(hidden, channels, 1, strides)
            hidden = keras.layers.Add()([inner, shortcut])
        else:
            hidden = convolution(hidden, channels, strides=strides)
        hidden = keras.layers.Activation(activation)(hidden)
        if (layer := POOLINGS[pooling]) is not None:
            hidden = layer(2, padding="same")(hidden)
        if dropout:
            hidden = keras.layers.SpatialDropout2D(dropout)(hidden)
    hidden = ENDS[end]()(hidden)
    beside = inputs.flat(images=False)
    if beside is not None:
        hidden = keras.layers.Concatenate()([hidden, beside])
    return head(dense_stack(hidden, units, activation, dropout, initializer, regularizer, _for_units(normalization)))


def channels_for(height: int, width: int) -> list[int]:
    """Returns the channels of each stage for images of this size in pixels: 32, 64 and 128 for 28 x 28."""
    side = min(height, width)
    side = -(-side // 2) if side > LARGE else side
    stages = max(1, round(math.log2(side / SMALLEST)))
    return [min(WIDEST, 32 * 2**stage) for stage in range(stages)]


def _for_images(normalization: Callable[[], Any] | None) -> Any:
    """Makes a normalization layer; layer normalization is over all values of an image, not over channels per pixel."""
    layer = normalization() if normalization else None
    if isinstance(layer, keras.layers.LayerNormalization):
        return keras.layers.GroupNormalization(groups=1, epsilon=layer.epsilon)
    return layer


def _for_units(normalization: Callable[[], Any] | None) -> Callable[[], Any] | None:
    """Returns the normalization for dense layers; instance normalization of a single value would leave nothing."""
    layer = normalization() if normalization else None
    instance = isinstance(layer, keras.layers.GroupNormalization) and layer.groups == -1
    return None if instance else normalization
