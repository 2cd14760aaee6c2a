"""A bag of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from dltrain.errors import ConfigError
from dltrain.models.mlp import dense_stack
from dltrain.models.parts import Head, Inputs, Regularizers


def text_bag(
    inputs: Inputs,
    head: Head,
    *,
    dimension: int,
    units: Sequence[int],
    activation: str,
    dropout: float,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
) -> Any:
    """The mean of learned word vectors (fastText; Joulin et al. 2017), beside whatever else the table has.

    Args:
        inputs: the feature tensors, with `text`.
        head: the last layer.
        dimension: length of a word's vector.
        units: width of each hidden layer behind the mean.
        activation: of the hidden layers.
        dropout: share dropped in training of the mean and after each hidden layer.
        initializer: of the hidden kernels.
        regularizer: of the hidden kernels and biases.
    """
    if "text" not in inputs:
        raise ConfigError("model=text_bag needs a column of text, and this dataset has none. Use model=mlp.")
    words = keras.layers.Embedding(inputs.vocabulary_size, dimension, mask_zero=True, name="words")(inputs["text"])
    hidden = keras.layers.GlobalAveragePooling1D()(words)
    beside = inputs.flat()
    if beside is not None:
        hidden = keras.layers.Concatenate()([hidden, beside])
    if dropout:
        hidden = keras.layers.Dropout(dropout)(hidden)
    return head(
        dense_stack(
            hidden,
            units=units,
            activation=activation,
            dropout=dropout,
            normalization_position="before_activation",
            initializer=initializer,
            regularizer=regularizer,
            normalization=None,
        )
    )
