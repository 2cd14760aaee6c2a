"""Holds what the models of text share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dltrain.base.errors import ConfigError
from dltrain.models.mlp import dense_stack
from dltrain.models.parts import Inputs, Regularizers
from dltrain.preprocessing.log_count_ratios import log_count_ratios

Table = npt.NDArray[np.float32]


def texts_of(inputs: Inputs, model: str) -> Any:
    """Returns the n-gram ids, shape (batch, length), or raises ConfigError if the data has no text as ids."""
    if "text" not in inputs:
        raise ConfigError(f"model={model} needs a column of text, and this dataset has none. Use model=mlp.")
    return inputs["text"]


def naive_bayes_ratios(inputs: Inputs, smoothing: float) -> Table:
    """Returns the log-count ratio of each n-gram in the train rows, shape (ids, outputs).

    `smoothing` is added to each count.
    """
    return log_count_ratios(inputs.train("text"), inputs.train("target"), inputs.vocabulary_size, smoothing)


def towards_their_mean(ratios: Table, interpolation: float) -> Table:
    """Draws the sizes of log-count ratios (ids, outputs) by 1 - `interpolation` towards their mean, which becomes 1."""
    if interpolation == 1:
        return ratios
    sizes = np.abs(ratios)
    mean = np.maximum(sizes[2:].mean(axis=0), np.finfo(np.float32).tiny)
    sizes[2:] = interpolation * sizes[2:] / mean + (1 - interpolation)
    return np.where(ratios < 0, -sizes, sizes)


def fixed_vectors(ids: Any, table: Table, name: str) -> Any:
    """Looks up each of `ids` (batch, length) in a table (ids, width) that no training changes."""
    layer = keras.layers.Embedding(*table.shape, trainable=False, name=name)
    found = layer(ids)
    layer.set_weights([table])
    return found


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
