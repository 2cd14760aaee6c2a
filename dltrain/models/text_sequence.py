"""Builds networks that read words in order; conf/model/text_*.yaml explains their options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from dltrain.models.parts import Head, Inputs, Regularizers, mean_of_words
from dltrain.models.text_parts import dense_beside_table, texts_of


def text_cnn(
    inputs: Inputs,
    head: Head,
    *,
    dimension: int,
    filters: int,
    kernel_sizes: Sequence[int],
    units: Sequence[int],
    activation: str,
    dropout: float,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
) -> Any:
    """Applies convolutions of several widths to word vectors and takes each filter's maximum (Kim 2014)."""
    ids = texts_of(inputs, "text_cnn")
    words = keras.layers.Embedding(inputs.vocabulary_size, dimension, name="words")(ids)
    answers = []
    for width in kernel_sizes:
        own = regularizer.arguments(initializer)
        convolved = keras.layers.Conv1D(filters, width, padding="same", activation=activation, **own)(words)
        answers.append(keras.layers.GlobalMaxPooling1D()(convolved))
    hidden = keras.layers.Concatenate()(answers) if len(answers) > 1 else answers[0]
    return head(dense_beside_table(hidden, inputs, units, activation, dropout, initializer, regularizer))


def text_rnn(
    inputs: Inputs,
    head: Head,
    *,
    dimension: int,
    cell: str,
    bidirectional: bool,
    recurrent_units: int,
    units: Sequence[int],
    activation: str,
    dropout: float,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
) -> Any:
    """Returns the last state of a recurrent layer on word vectors (Hochreiter & Schmidhuber 1997; Cho et al. 2014)."""
    ids = texts_of(inputs, "text_rnn")
    words = keras.layers.Embedding(inputs.vocabulary_size, dimension, mask_zero=True, name="words")(ids)
    if dropout:
        words = keras.layers.SpatialDropout1D(dropout)(words)
    kind = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell]
    layer = kind(recurrent_units, **regularizer.arguments(initializer))
    hidden = (keras.layers.Bidirectional(layer) if bidirectional else layer)(words)
    return head(dense_beside_table(hidden, inputs, units, activation, dropout, initializer, regularizer))


def text_transformer(
    inputs: Inputs,
    head: Head,
    *,
    dimension: int,
    blocks: int,
    heads: int,
    units: Sequence[int],
    activation: str,
    dropout: float,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
) -> Any:
    """Applies blocks of self-attention to word and position vectors and takes their mean (Vaswani et al. 2017).

    Layers are normalized at their input, which trains without a warm-up (Xiong et al. 2020).
    """
    ids = texts_of(inputs, "text_transformer")
    words = keras.layers.Embedding(inputs.vocabulary_size, dimension, name="words")(ids)
    places = keras.ops.cumsum(keras.ops.ones_like(ids), axis=1) - 1
    hidden = words + keras.layers.Embedding(ids.shape[1], dimension, name="places")(places)
    present = keras.ops.expand_dims(keras.ops.not_equal(ids, 0), 1)
    for _ in range(blocks):
        normed = keras.layers.LayerNormalization()(hidden)
        # A bias of the keys does not change the attention, and its gradient is rounding noise that Adam amplifies.
        attended = keras.layers.MultiHeadAttention(heads, dimension // heads, use_bias=False, dropout=dropout)(
            normed, normed, attention_mask=present
        )
        hidden = hidden + keras.layers.Dropout(dropout)(attended)
        normed = keras.layers.LayerNormalization()(hidden)
        inner = keras.layers.Dense(4 * dimension, activation=activation, **regularizer.arguments(initializer))(normed)
        hidden = hidden + keras.layers.Dropout(dropout)(keras.layers.Dense(dimension)(inner))
    hidden = mean_of_words(keras.layers.LayerNormalization()(hidden), ids)
    return head(dense_beside_table(hidden, inputs, units, activation, dropout, initializer, regularizer))
