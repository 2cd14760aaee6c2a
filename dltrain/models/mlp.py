"""Dense networks: none, one or many hidden layers.

A model is a function `model(inputs, head, **options)` that returns `head(hidden)`. It may take `initializer` (a
function without arguments that gives a new Keras initializer), `regularizer` (`kernel` and `bias`) and
`normalization` (a function that gives a new layer, or None); what it does not take cannot be chosen with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from dltrain.base.errors import ConfigError
from dltrain.models.parts import Head, Inputs, Regularizers


def linear(inputs: Inputs, head: Head, *, initializer: Callable[[], Any], regularizer: Regularizers) -> Any:
    """The head alone: logistic, softmax or linear regression."""
    return head(_flat(inputs, "linear"), initializer=initializer(), regularizer=regularizer)


def mlp(
    inputs: Inputs,
    head: Head,
    *,
    units: Sequence[int],
    activation: str,
    dropout: float,
    normalization_position: str,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
    normalization: Callable[[], Any] | None,
) -> Any:
    """Hidden layers of Dense, normalization, activation and dropout.

    Args:
        inputs: the feature tensors.
        head: the last layer.
        units: width of each hidden layer.
        activation: name of a Keras activation.
        dropout: share of units dropped in training, after each hidden layer.
        normalization_position: before_activation or after_activation.
        initializer: of the hidden kernels.
        regularizer: of the hidden kernels and biases.
        normalization: gives a new layer, or None for none.
    """
    hidden = _flat(inputs, "mlp")
    return head(
        dense_stack(
            hidden,
            units=units,
            activation=activation,
            dropout=dropout,
            normalization_position=normalization_position,
            initializer=initializer,
            regularizer=regularizer,
            normalization=normalization,
        )
    )


def dense_stack(
    hidden: Any,
    *,
    units: Sequence[int],
    activation: str,
    dropout: float,
    normalization_position: str,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
    normalization: Callable[[], Any] | None,
) -> Any:
    """The hidden layers of `mlp` on a tensor of shape (batch, width)."""
    for width in units:
        norm = normalization() if normalization else None
        first = norm is not None and normalization_position == "before_activation"
        # Batch normalization takes any bias away again: its gradient is rounding noise that Adam blows up.
        idle_bias = first and isinstance(norm, keras.layers.BatchNormalization) and regularizer.bias is None
        hidden = keras.layers.Dense(
            width,
            use_bias=not idle_bias,
            kernel_initializer=initializer(),
            kernel_regularizer=regularizer.kernel,
            bias_regularizer=regularizer.bias,
        )(hidden)
        if norm is not None and first:
            hidden = norm(hidden)
        hidden = keras.layers.Activation(activation)(hidden)
        if norm is not None and not first:
            hidden = norm(hidden)
        if dropout:
            hidden = keras.layers.Dropout(dropout)(hidden)
    return hidden


def _flat(inputs: Inputs, model: str) -> Any:
    hidden = inputs.flat()
    if hidden is None:
        raise ConfigError(
            f"model={model} needs numbers, categories or images, and this dataset has text alone. "
            "Use model=text_bag, or text=tf_idf."
        )
    return hidden
