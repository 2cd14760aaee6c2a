"""Builds dense networks with no, one or many hidden layers.

A model is a function `model(inputs, head, **options)` that returns `head(hidden)`. It may take `initializer` (a
function that returns a new Keras initializer), `regularizer` (with `kernel` and `bias`) and `normalization` (a function
that returns a new layer, or None); a group whose parameter it does not take cannot be chosen with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from dltrain.models.linear_path import first_share, linear_scores
from dltrain.models.parts import Head, Inputs, Regularizers


def linear(inputs: Inputs, head: Head, *, initializer: Callable[[], Any], regularizer: Regularizers) -> Any:
    """Builds the head alone: logistic, softmax or linear regression."""
    return head(inputs.flat(), initializer=initializer(), regularizer=regularizer)


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
    linear_path: bool = False,
) -> Any:
    """Builds hidden layers of Dense, normalization, activation and dropout, as wide as `units` says.

    `normalization_position` is before_activation or after_activation; `dropout` is the share of units dropped after
    each hidden layer. With `linear_path`, a linear model's scores are added to those of the hidden layers.
    """
    normalize = normalization, normalization_position
    hidden = dense_stack(inputs.flat(), units, activation, dropout, initializer, regularizer, *normalize)
    if not linear_path:
        return head(hidden)
    return head(hidden, initializer=first_share(), beside=linear_scores(inputs, head))


def dense_stack(
    hidden: Any,
    units: Sequence[int],
    activation: str,
    dropout: float,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
    normalization: Callable[[], Any] | None = None,
    normalization_position: str = "before_activation",
) -> Any:
    """Builds the hidden layers of `mlp` on a tensor of shape (batch, width)."""
    for width in units:
        norm = normalization() if normalization else None
        first = norm is not None and normalization_position == "before_activation"
        # Batch normalization subtracts any bias, whose gradient would be rounding noise that Adam amplifies.
        idle_bias = first and isinstance(norm, keras.layers.BatchNormalization) and regularizer.bias is None
        hidden = keras.layers.Dense(width, use_bias=not idle_bias, **regularizer.arguments(initializer))(hidden)
        if norm is not None and first:
            hidden = norm(hidden)
        hidden = keras.layers.Activation(activation)(hidden)
        if norm is not None and not first:
            hidden = norm(hidden)
        if dropout:
            hidden = keras.layers.Dropout(dropout)(hidden)
    return hidden
