"""Builds a bag-of-words network; conf/model/text_bag.yaml explains its options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from dltrain.models.parts import Head, Inputs, Regularizers, mean_of_words
from dltrain.models.text_parts import dense_beside_table, fixed_vectors, naive_bayes_ratios, texts_of


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
    """Averages learned word vectors (fastText; Joulin et al. 2017) and joins the other columns of the row.

    With `naive_bayes` each vector is multiplied by the absolute log-count ratio of its n-gram, the largest over the
    outputs (Wang & Manning 2012).
    """
    ids = texts_of(inputs, "text_bag")
    words = keras.layers.Embedding(inputs.vocabulary_size, dimension, name="words")(ids)
    if naive_bayes:
        largest = np.abs(naive_bayes_ratios(inputs, smoothing)).max(axis=1, keepdims=True)
        words = words * fixed_vectors(ids, largest, "log_count_ratios")
    hidden = mean_of_words(words, ids)
    return head(dense_beside_table(hidden, inputs, units, activation, dropout, initializer, regularizer))
