"""Builds a linear model of n-grams; conf/model/text_linear.yaml explains its options."""

from __future__ import annotations

from typing import Any

import keras

from dltrain.models.parts import Head, Inputs, Regularizers
from dltrain.models.text_parts import naive_bayes_ratios, texts_of


def text_linear(
    inputs: Inputs,
    head: Head,
    *,
    naive_bayes: bool,
    smoothing: float,
    normalize: bool | str,
    dropout: float,
    regularizer: Regularizers,
) -> Any:
    """Sums one weight for each n-gram and output over the n-grams of a text, without a matrix of rows by n-grams.

    With `naive_bayes` each weight is multiplied by the n-gram's fixed log-count ratio in the train rows, the network
    form of NB-SVM (Wang & Manning 2012). `normalize` gives all texts the same length; `auto` does so for a quantity,
    which does not grow with the text. Other columns have weights of their own.
    """
    ids = texts_of(inputs, "text_linear")
    # All weights start at 0, and those of padding (id 0) are multiplied by 0.
    terms = keras.layers.Embedding(
        inputs.vocabulary_size,
        head.units,
        embeddings_initializer="zeros",
        embeddings_regularizer=regularizer.kernel,
        name="weights",
    )(ids)
    if naive_bayes:
        terms = keras.layers.Multiply()([terms, naive_bayes_ratios(inputs, ids, smoothing)])
    else:
        terms = terms * keras.ops.expand_dims(keras.ops.cast(ids > 0, "float32"), -1)
    if dropout:
        terms = keras.layers.Dropout(dropout, noise_shape=(None, None, 1))(terms)
    scores = keras.ops.sum(terms, axis=1)
    if normalize is True or (normalize == "auto" and head.kind.quantity):
        # Texts of the mean length are unchanged, so that the same learning rates fit.
        usual = float((inputs.train("text") > 0).sum(axis=1).mean())
        count = keras.ops.sum(keras.ops.cast(ids > 0, "float32"), axis=1, keepdims=True)  # of n-grams, (batch, 1)
        scores = scores * keras.ops.sqrt(usual / keras.ops.maximum(count, 1.0))
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
