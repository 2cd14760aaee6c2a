"""How the operations of a model hang together, and what some layers and networks hold: Keras tells neither."""

from __future__ import annotations

from typing import Any, cast

import keras
import numpy as np
import numpy.typing as npt

NAMES = (
    "keras.Layer._inbound_nodes",
    "keras.layers.SpatialDropout1D._get_noise_shape",
    "keras.layers.TextVectorization._lookup_layer",
    "keras.src.applications.efficientnet.WEIGHTS_HASHES",
    "keras.src.ops.node.Node._keras_history",  # which a node gives its tensors
)

SPATIAL = (keras.layers.SpatialDropout1D, keras.layers.SpatialDropout2D, keras.layers.SpatialDropout3D)


def calls(operation: keras.Operation) -> list[Any]:
    """Each use of a layer in a model, with `input_tensors` and `outputs`; publicly only a single one is told."""
    return cast("list[Any]", operation._inbound_nodes)


def maker(tensor: keras.KerasTensor) -> keras.Operation:
    """The layer or operation that a symbolic tensor comes from, which has no public name."""
    return tensor._keras_history.operation


def noise_shape(dropout: keras.layers.Dropout, inputs: Any) -> Any:
    """The shape in which a layer of dropout draws, with None where it is the inputs' own, or None in all.

    Layers that drop whole maps or words make it at each call, and publicly the layer cannot be asked for it.

    Args:
        dropout: Dropout, SpatialDropout1D, SpatialDropout2D or SpatialDropout3D.
        inputs: a tensor.
    """
    return dropout._get_noise_shape(inputs) if isinstance(dropout, SPATIAL) else dropout.noise_shape


def inverse_frequencies(layer: keras.layers.TextVectorization) -> npt.NDArray[np.float32]:
    """What a layer that was adapted for TF-IDF multiplies by, a number a word, that of unknown words first.

    The configuration has it only where it was given to the constructor.
    """
    return np.asarray(layer._lookup_layer.idf_weights)


def hash_of_efficientnet(variant: str) -> str:
    """The MD5 of a file of weights without the top, which Keras checks where it downloads by itself, to its own folder.

    Args:
        variant: `b0` to `b7`.
    """
    from keras.src.applications.efficientnet import WEIGHTS_HASHES

    return str(WEIGHTS_HASHES[variant][1])
