"""Measures outputs and gradients of each layer of a network on one batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.engine.distribution import local

RECTIFIED = ("relu", "relu6")


@dataclass(frozen=True)
class Layer:
    """One layer on one batch."""

    name: str
    kind: str  # the class of the Keras layer
    mean: float  # the mean of its outputs; `sd` is their standard deviation
    sd: float
    dead: float | None  # the share of units that are zero for every row; None without a ReLU
    weights: int  # the number of its trainable parameters
    weight_rms: float | None  # their root mean square; None without any
    # The mean gradient of the loss by these weights, of ids those that occur in the batch; None without any
    gradient_mean: float | None
    gradient_sd: float | None  # the standard deviation of the gradient
    gradient_rms: float | None  # the root mean square of the gradient


def look_at_layers(
    network: keras.Model, features: Mapping[str, Any], targets: npt.NDArray[Any], *, training: bool
) -> list[Layer]:
    """Measures each layer in a forward and a backward pass; no weight and no moving average is changed.

    `features` holds n rows by name, `targets` has the shape (n, units). If `training`, layers behave as in training:
    dropout drops units, and batch normalization uses the mean of the batch.
    """
    outputs, gradients = send_through(network, features, targets, training=training)
    return [_layer(layer, outputs[layer.name], gradients) for layer in network.layers if layer.name in outputs]


def send_through(
    network: keras.Model, features: Mapping[str, Any], targets: npt.NDArray[Any], *, training: bool
) -> tuple[dict[str, npt.NDArray[Any]], dict[int, npt.NDArray[np.float64]]]:
    """Returns the outputs of each layer by its name, and the gradient of each trainable weight by the weight's `id`.

    The parameters are those of `look_at_layers`; no variable is changed.
    """
    inputs = {name: tf.constant(values) for name, values in features.items()}
    seen = {layer.name: layer.output for layer in network.layers if _has_one_float_output(layer)}
    states = [(state, np.array(state)) for state in network.non_trainable_variables]
    outputs = keras.Model(network.input, seen)(inputs, training=training) if seen else {}
    with tf.GradientTape() as tape:
        answers = network(inputs, training=training)
        loss = network.compute_loss(x=inputs, y=tf.constant(targets), y_pred=answers, training=training)
    weights = network.trainable_variables
    found = tape.gradient(loss, [local(weight) for weight in weights])
    for state, value in states:
        state.assign(value)
    gradients = {
        id(weight): np.zeros(weight.shape) if each is None else np.asarray(tf.convert_to_tensor(each), np.float64)
        for weight, each in zip(weights, found, strict=True)
    }
    return {name: np.asarray(values) for name, values in outputs.items()}, gradients


def _layer(layer: Any, outputs: npt.NDArray[Any], gradients: Mapping[int, npt.NDArray[np.float64]]) -> Layer:
    own = [weight for weight in layer.trainable_variables if id(weight) in gradients]
    found = [gradients[id(weight)] for weight in own]
    if _takes_ids(layer):  # a word that no row has says nothing about how far gradients reach
        found = [each[each.reshape(len(each), -1).any(axis=1)] if each.any() else each for each in found]
    flat = np.concatenate([each.ravel() for each in found]) if own else None
    values = np.concatenate([np.array(weight, np.float64).ravel() for weight in own]) if own else None
    dead = None
    if getattr(getattr(layer, "activation", None), "__name__", "") in RECTIFIED or isinstance(layer, keras.layers.ReLU):
        dead = float((outputs <= 0).reshape(-1, outputs.shape[-1]).all(axis=0).mean())
    return Layer(
        name=layer.name,
        kind=type(layer).__name__,
        mean=float(outputs.mean(dtype=np.float64)),
        sd=float(outputs.std(dtype=np.float64)),
        dead=dead,
        weights=0 if values is None else len(values),
        weight_rms=None if values is None else float(np.sqrt(np.mean(values**2))),
        gradient_mean=None if flat is None else float(flat.mean()),
        gradient_sd=None if flat is None else float(flat.std()),
        gradient_rms=None if flat is None else float(np.sqrt(np.mean(flat**2))),
    )


def _takes_ids(layer: Any) -> bool:
    """Returns whether a layer looks whole numbers up in a table, as an embedding does."""
    try:
        return any(keras.backend.is_int_dtype(each.dtype) for each in keras.tree.flatten(layer.input))
    except (AttributeError, ValueError):
        return False


def _has_one_float_output(layer: Any) -> bool:
    """Returns whether a layer makes one tensor of floats; inputs and models do not count."""
    if isinstance(layer, (keras.layers.InputLayer, keras.Model)):
        return False
    try:
        output = layer.output
    except (AttributeError, ValueError):
        return False
    return isinstance(output, keras.KerasTensor) and keras.backend.is_float_dtype(output.dtype)
