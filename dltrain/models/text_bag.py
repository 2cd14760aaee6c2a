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
    ids = inputs["text"]
    words = keras.layers.Embedding(inputs.vocabulary_size, dimension, name="words")(ids)
    # GlobalAveragePooling1D would divide by zero, and give NaN, where a text has no word.
    present = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(ids, 0), words.dtype), -1)
    count = keras.ops.maximum(keras.ops.sum(present, axis=1), 1)
    hidden = keras.ops.divide(keras.ops.sum(keras.ops.multiply(words, present), axis=1), count)
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
