"""A bag of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from dltrain.models.parts import Head, Inputs, Regularizers
from dltrain.models.text_parts import dense_beside_table, mean_of_words, naive_bayes_ratios, texts_of


def text_bag(
    inputs: Inputs,
    head: Head,
    *,
    dimension: int,
    units: Sequence[int],
    activation: str,
    dropout: float,
    naive_bayes: bool,
    smoothing: float,
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
        naive_bayes: whether each vector is multiplied by the size of its n-gram's log-count ratio in the train rows,
            the greatest over the outputs (Wang & Manning 2012).
        smoothing: added to the counts behind these ratios.
        initializer: of the hidden kernels.
        regularizer: of the hidden kernels and biases.
    """
    ids = texts_of(inputs, "text_bag")
    words = keras.layers.Embedding(inputs.vocabulary_size, dimension, name="words")(ids)
    if naive_bayes:
        words = words * naive_bayes_ratios(
            inputs, ids, smoothing, lambda ratios: np.abs(ratios).max(axis=1, keepdims=True)
        )
    return head(
        dense_beside_table(
            mean_of_words(words, ids),
            inputs,
            units=units,
            activation=activation,
            dropout=dropout,
            initializer=initializer,
            regularizer=regularizer,
        )
    )
