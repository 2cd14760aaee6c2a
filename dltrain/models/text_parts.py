"""What the models of text share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from dltrain.errors import ConfigError
from dltrain.models.parts import Inputs
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


def beside_table(hidden: Any, inputs: Inputs) -> Any:
    """A hidden tensor (batch, width) with the numbers, categories and pixels of the row beside it."""
    beside = inputs.flat()
    return hidden if beside is None else keras.layers.Concatenate()([hidden, beside])


def mean_of_words(vectors: Any, ids: Any) -> Any:
    """The mean over the words of each text, shape (batch, width); zeros for a text without words.

    Args:
        vectors: shape (batch, length, width).
        ids: shape (batch, length), 0 where there is no word.
    """
    present = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(ids, 0), "float32"), -1)
    count = keras.ops.maximum(keras.ops.sum(present, axis=1), 1.0)
    return keras.ops.sum(vectors * present, axis=1) / count
