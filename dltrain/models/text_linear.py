"""Builds a linear model of n-grams; conf/model/text_linear.yaml explains its options."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from dltrain.models.parts import Head, Inputs, Regularizers
from dltrain.models.text_parts import Table, fixed_vectors, naive_bayes_ratios, texts_of
from dltrain.preprocessing.log_count_ratios import inverse_document_frequencies

# Of a text as a vector of n-grams, whatever its words: one learning rate fits short and long texts.
SQUARED_LENGTH = 16.0


def text_linear(
    inputs: Inputs,
    head: Head,
    *,
    naive_bayes: bool,
    smoothing: float,
    normalize: bool | str,
    dropout: float,
    regularizer: Regularizers,
    interpolation: float = 1.0,
    rarity: bool = False,
) -> Any:
    """Sums one weight for each n-gram and output over the n-grams of a text, without a matrix of rows by n-grams.

    With `naive_bayes` each weight is multiplied by the n-gram's fixed log-count ratio in the train rows, the network
    form of NB-SVM, whose `interpolation` draws these ratios towards their mean size (Wang & Manning 2012); `rarity`
    multiplies by the inverse document frequency. `normalize` gives all texts the same length; `auto` does so with
    `rarity`, and for a quantity, which does not grow with the text. Other columns have weights of their own.

    Configs of earlier versions do without `interpolation` and `rarity`.
    """
    ids = texts_of(inputs, "text_linear")
    scores = ngram_scores(
        inputs, ids, head,
        naive_bayes=naive_bayes, smoothing=smoothing, interpolation=interpolation, rarity=rarity,
        normalize=normalize, dropout=dropout, regularizer=regularizer,
    )  # fmt: skip
    beside = inputs.flat(texts=False)
    others = keras.layers.Dense(
        head.units,
        use_bias=beside is not None,
        kernel_initializer="zeros",
        kernel_regularizer=regularizer.kernel if beside is not None else regularizer.bias,
        bias_regularizer=regularizer.bias if beside is not None else None,
        name="others" if beside is not None else "bias",
    )(keras.ops.ones_like(scores[:, :1]) if beside is None else beside)
    return head.of_scores(keras.layers.Add()([scores, others]))


def ngram_scores(
    inputs: Inputs,
    ids: Any,
    head: Head,
    *,
    naive_bayes: bool,
    smoothing: float,
    interpolation: float,
    rarity: bool,
    normalize: bool | str,
    dropout: float,
    regularizer: Regularizers,
) -> Any:
    """Returns the sum of the weights of the n-grams in `ids` (batch, length), shape (batch, outputs)."""
    # All weights start at 0, and those of padding (id 0) are multiplied by 0.
    terms = keras.layers.Embedding(
        inputs.vocabulary_size,
        head.units,
        embeddings_initializer="zeros",
        embeddings_regularizer=regularizer.kernel,
        name="weights",
    )(ids)
    rare = inverse_document_frequencies(inputs.train("text"), inputs.vocabulary_size)[:, None] if rarity else None
    if naive_bayes:
        factors = _towards_their_mean(naive_bayes_ratios(inputs, smoothing), interpolation)
        factors = factors if rare is None else factors * rare
        terms = keras.layers.Multiply()([terms, fixed_vectors(ids, factors, "log_count_ratios")])
    elif rare is not None:
        terms = keras.layers.Multiply()([terms, fixed_vectors(ids, rare, "rarity")])
    else:
        terms = terms * keras.ops.expand_dims(keras.ops.cast(ids > 0, "float32"), -1)
    if dropout:
        terms = keras.layers.Dropout(dropout, noise_shape=(None, None, 1))(terms)
    scores = keras.ops.sum(terms, axis=1)
    if normalize is True or (normalize == "auto" and (rarity or head.kind.quantity)):
        # `squared` is the squared length of the text as a vector of n-grams, (batch, 1).
        if rare is None:
            # Texts of the mean length are unchanged, so that the same learning rates fit.
            wanted = float((inputs.train("text") > 0).sum(axis=1).mean())
            squared = keras.ops.sum(keras.ops.cast(ids > 0, "float32"), axis=1, keepdims=True)
        else:
            # The squared error bends eight times as much as the log-loss of two classes.
            wanted = SQUARED_LENGTH / (8 if head.kind.quantity else 1)
            squared = keras.ops.sum(fixed_vectors(ids, rare**2, "squared_rarity"), axis=1)
        scores = scores * keras.ops.sqrt(wanted / keras.ops.maximum(squared, 1.0))
    return scores


def _towards_their_mean(ratios: Table, interpolation: float) -> Table:
    """Draws the sizes of log-count ratios (ids, outputs) by 1 - `interpolation` towards their mean, which becomes 1."""
    if interpolation == 1:
        return ratios
    sizes = np.abs(ratios)
    mean = np.maximum(sizes[2:].mean(axis=0), np.finfo(np.float32).tiny)
    sizes[2:] = interpolation * sizes[2:] / mean + (1 - interpolation)
    return np.where(ratios < 0, -sizes, sizes)
