"""Builds a linear model of n-grams; conf/model/text_linear.yaml explains its options."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dltrain.models.fitted_ngrams import fitted_ngrams
from dltrain.models.linear_path import evenly
from dltrain.models.parts import Head, Inputs, Regularizers
from dltrain.models.text_parts import Table, fixed_vectors, naive_bayes_ratios, texts_of, towards_their_mean
from dltrain.preprocessing.log_count_ratios import inverse_document_frequencies, mean_count

# Of a text as a vector of n-grams, whatever its words: one learning rate fits short and long texts.
SQUARED_LENGTH = 16.0
ROWS_OF_FIT = 50_000  # that the regression before training is fitted on at most


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
    fitted_start: bool = False,
) -> Any:
    """Sums one weight for each n-gram and output over the n-grams of a text, without a matrix of rows by n-grams.

    With `naive_bayes` each weight is multiplied by the n-gram's fixed log-count ratio in the train rows, the network
    form of NB-SVM, whose `interpolation` draws these ratios towards their mean size (Wang & Manning 2012); `rarity`
    multiplies by the inverse document frequency. `normalize` gives all texts the same length; `auto` does so with
    `rarity`, and for a quantity, which does not grow with the text. Other columns have weights of their own.

    With `fitted_start` training starts from logistic regressions of the train rows, whose weights contain the ratios
    where these help; a quantity starts from 0 all the same, from where an early stop reaches more than from a ridge
    regression (reviews outside every table of benchmarks/texts.py: RMSE 2.27, not 2.30; of short ones 3.23, not 3.25).

    Configs of earlier versions do without `interpolation`, `rarity` and `fitted_start`.
    """
    ids = texts_of(inputs, "text_linear")
    rare = rarity_of(inputs) if rarity else None
    start = None
    if fitted_start and not head.kind.quantity:
        size, rows = inputs.vocabulary_size, evenly(len(inputs.train("target")), ROWS_OF_FIT)
        numbers, scales = inputs.train("text")[rows], np.ones(len(rows))
        if _normalizes(normalize, rare, head):
            squared = (numbers > 0).sum(axis=1) if rare is None else (rare**2)[numbers].sum(axis=1)
            scales = np.sqrt(_wanted(inputs, head, rare) / np.maximum(squared, 1.0))
        start = fitted_ngrams(
            numbers, scales, rare, inputs.train("target")[rows], head,
            size=size, smoothing=smoothing, interpolations=(interpolation, 0.0) if naive_bayes else (0.0,),
        )  # fmt: skip
    scores = ngram_scores(
        inputs, ids, head,
        naive_bayes=naive_bayes, smoothing=smoothing, interpolation=interpolation, rare=rare,
        normalize=normalize, dropout=dropout, regularizer=regularizer, start=None if start is None else start[0],
    )  # fmt: skip
    beside = inputs.flat(texts=False)
    others = keras.layers.Dense(
        head.units,
        use_bias=beside is not None,
        kernel_initializer="zeros",
        kernel_regularizer=regularizer.kernel if beside is not None else regularizer.bias,
        bias_regularizer=regularizer.bias if beside is not None else None,
        name="others" if beside is not None else "bias",
    )
    scores = keras.layers.Add()([scores, others(keras.ops.ones_like(scores[:, :1]) if beside is None else beside)])
    if start is not None:
        *kernel, bias = others.get_weights()
        others.set_weights([*kernel, start[1].reshape(bias.shape)])
    return head.of_scores(scores)


def ngram_scores(
    inputs: Inputs,
    ids: Any,
    head: Head,
    *,
    naive_bayes: bool,
    smoothing: float,
    interpolation: float,
    rare: Table | None,
    normalize: bool | str,
    dropout: float,
    regularizer: Regularizers,
    start: npt.NDArray[np.floating] | None = None,
) -> Any:
    """Returns the sum of the weights of the n-grams in `ids` (batch, length), shape (batch, outputs).

    `rare`, shape (ids,), multiplies the weights. `start`, shape (ids, outputs), holds them before training, with all
    that multiplies them.
    """
    # All weights start at 0 otherwise, and those of padding (id 0) are multiplied by 0.
    layer = keras.layers.Embedding(
        inputs.vocabulary_size,
        head.units,
        embeddings_initializer="zeros",
        embeddings_regularizer=regularizer.kernel,
        name="weights",
    )
    terms = layer(ids)
    if start is not None:
        layer.set_weights([start])
    if naive_bayes and start is None:
        factors = towards_their_mean(naive_bayes_ratios(inputs, smoothing), interpolation)
        factors = factors if rare is None else factors * rare[:, None]
        terms = keras.layers.Multiply()([terms, fixed_vectors(ids, factors, "log_count_ratios")])
    elif rare is not None and start is None:
        terms = keras.layers.Multiply()([terms, fixed_vectors(ids, rare[:, None], "rarity")])
    else:
        terms = terms * keras.ops.expand_dims(keras.ops.cast(ids > 0, "float32"), -1)
    if dropout:
        terms = keras.layers.Dropout(dropout, noise_shape=(None, None, 1))(terms)
    scores = keras.ops.sum(terms, axis=1)
    if _normalizes(normalize, rare, head):
        # `squared` is the squared length of the text as a vector of n-grams, (batch, 1).
        if rare is None:
            squared = keras.ops.sum(keras.ops.cast(ids > 0, "float32"), axis=1, keepdims=True)
        else:
            squared = keras.ops.sum(fixed_vectors(ids, rare[:, None] ** 2, "squared_rarity"), axis=1)
        scores = scores * keras.ops.sqrt(_wanted(inputs, head, rare) / keras.ops.maximum(squared, 1.0))
    return scores


def rarity_of(inputs: Inputs) -> Table:
    """Returns the inverse document frequency of each n-gram in the train rows, shape (ids,)."""
    return inverse_document_frequencies(inputs.train("text"), inputs.vocabulary_size)


def _normalizes(normalize: bool | str, rare: Table | None, head: Head) -> bool:
    return normalize is True or (normalize == "auto" and (rare is not None or head.kind.quantity))


def _wanted(inputs: Inputs, head: Head, rare: Table | None) -> float:
    """Returns the squared length that all texts get as vectors of n-grams."""
    if rare is None:
        # Texts of the mean length are unchanged, so that the same learning rates fit.
        return mean_count(inputs.train("text"))
    # The squared error bends eight times as much as the log-loss of two classes.
    return SQUARED_LENGTH / (8 if head.kind.quantity else 1)
