"""Reads the graph of a model's operations and the state of some layers and networks, which Keras keeps private."""

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
    "keras.src.ops.node.Node.arguments",
)

SPATIAL = (keras.layers.SpatialDropout1D, keras.layers.SpatialDropout2D, keras.layers.SpatialDropout3D)


def calls(operation: keras.Operation) -> list[Any]:
    """Returns each use of a layer in a model, with `input_tensors` and `outputs`; public names allow a single one."""
    return cast("list[Any]", operation._inbound_nodes)


def maker(tensor: keras.KerasTensor) -> keras.Operation:
    """Returns the layer or operation that made a symbolic tensor."""
    return tensor._keras_history.operation


def call_of(tensor: keras.KerasTensor) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Returns the use of a layer or operation that made a symbolic tensor, as `calls`, with its arguments."""
    history = tensor._keras_history
    call = calls(history.operation)[history.node_index]
    return call, call.arguments.args, call.arguments.kwargs


def noise_shape(dropout: keras.layers.Dropout, inputs: Any) -> Any:
    """Returns the shape in which a dropout layer draws for a tensor, with None for the tensor's own size, or None.

    Layers that drop whole feature maps or words compute it at each call.
    """
    return dropout._get_noise_shape(inputs) if isinstance(dropout, SPATIAL) else dropout.noise_shape


def inverse_frequencies(layer: keras.layers.TextVectorization) -> npt.NDArray[np.float32]:
    """Returns the factors of a layer that was adapted for TF-IDF, one for each word, that of unknown words first.

    The public config has them only if they were given to the constructor.
    """
    return np.asarray(layer._lookup_layer.idf_weights)


def hash_of_efficientnet(variant: str) -> str:
    """Returns the MD5 of the file of weights without the top of a variant, `b0` to `b7`.

    Keras checks it only for its own downloads.
    """
    from keras.src.applications.efficientnet import WEIGHTS_HASHES

    return str(WEIGHTS_HASHES[variant][1])
