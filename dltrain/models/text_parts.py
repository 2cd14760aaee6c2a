"""Holds what the models of text share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from dltrain.base.errors import ConfigError
from dltrain.models.mlp import dense_stack
from dltrain.models.parts import Inputs, Regularizers
from dltrain.preprocessing.log_count_ratios import log_count_ratios


def texts_of(inputs: Inputs, model: str) -> Any:
    """Returns the n-gram ids, shape (batch, length), or raises ConfigError if the data has no text as ids."""
    if "text" not in inputs:
        raise ConfigError(f"model={model} needs a column of text, and this dataset has none. Use model=mlp.")
    return inputs["text"]


def naive_bayes_ratios(inputs: Inputs, ids: Any, smoothing: float, combine: Callable[[Any], Any] | None = None) -> Any:
    """Returns the fixed log-count ratio of each n-gram in `ids` (batch, length); shape (batch, length, outputs).

    `smoothing` is added to each count; `combine` maps the ratios (ids, outputs) to those that are used.
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
    units: Sequence[int],
    activation: str,
    dropout: float,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
) -> Any:
    """Applies dropout and hidden layers to a text's vector (batch, width) joined with the other columns of its row."""
    beside = inputs.flat(texts=False)
    hidden = hidden if beside is None else keras.layers.Concatenate()([hidden, beside])
    if dropout:
        hidden = keras.layers.Dropout(dropout)(hidden)
    return dense_stack(hidden, units, activation, dropout, initializer, regularizer)
