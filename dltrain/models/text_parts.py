"""What the models of text share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from dltrain.base.errors import ConfigError
from dltrain.models.mlp import dense_stack
from dltrain.models.parts import Inputs, Regularizers
from dltrain.preprocessing.log_count_ratios import log_count_ratios


def texts_of(inputs: Inputs, model: str) -> Any:
    """The n-gram numbers, shape (batch, length).

    Raises:
        ConfigError: the data has no text, or its text comes as weights.
    """
    if "text" not in inputs:
        raise ConfigError(f"model={model} needs a column of text, and this dataset has none. Use model=mlp.")
    return inputs["text"]


def naive_bayes_ratios(inputs: Inputs, ids: Any, smoothing: float, combine: Callable[[Any], Any] | None = None) -> Any:
    """The log-count ratio of each n-gram, fixed, from the train rows; shape (batch, length, outputs).

    Args:
        inputs: the feature tensors.
        ids: n-gram numbers, shape (batch, length).
        smoothing: added to each count.
        combine: from the ratios (ids, outputs) to what stands in for them.
    """
    ratios = log_count_ratios(inputs.train("text"), inputs.train("target"), inputs.vocabulary_size, smoothing)
    ratios = combine(ratios) if combine else ratios
    layer = keras.layers.Embedding(*ratios.shape, trainable=False, name="log_count_ratios")
    fixed = layer(ids)
    layer.set_weights([ratios])
    return fixed


def dense_beside_table(
    hidden: Any,
    inputs: Inputs,
    *,
    units: Sequence[int],
    activation: str,
    dropout: float,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
) -> Any:
    """What the networks of text end with: dropout and hidden layers over a text's vector and the rest of its row.

    Args:
        hidden: the text's vector, shape (batch, width).
        inputs: the feature tensors; numbers, categories and pixels of the row join the vector.
        units: width of each hidden layer.
        activation: of the hidden layers.
        dropout: share dropped in training, before the hidden layers and after each.
        initializer: of the hidden kernels.
        regularizer: of the hidden kernels and biases.
    """
    beside = inputs.flat()
    hidden = hidden if beside is None else keras.layers.Concatenate()([hidden, beside])
    if dropout:
        hidden = keras.layers.Dropout(dropout)(hidden)
    return dense_stack(
        hidden,
        units=units,
        activation=activation,
        dropout=dropout,
        normalization_position="before_activation",
        initializer=initializer,
        regularizer=regularizer,
        normalization=None,
    )


def mean_of_words(vectors: Any, ids: Any) -> Any:
    """The mean over the words of each text, shape (batch, width); zeros for a text without words.

    Args:
        vectors: shape (batch, length, width).
        ids: shape (batch, length), 0 where there is no word.
    """
    present = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(ids, 0), "float32"), -1)
    count = keras.ops.maximum(keras.ops.sum(present, axis=1), 1.0)
    return keras.ops.sum(vectors * present, axis=1) / count
