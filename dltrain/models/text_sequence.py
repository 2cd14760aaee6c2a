"""Networks that read words in their order: convolutions, recurrent layers, a small transformer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from dltrain.models.parts import Head, Inputs, Regularizers
from dltrain.models.text_parts import dense_beside_table, mean_of_words, texts_of


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
    """Convolutions of several widths over word vectors, each filter's greatest answer in the text (Kim 2014).

    Args:
        inputs: the feature tensors, with `text`.
        head: the last layer.
        dimension: length of a word's vector.
        filters: of each width.
        kernel_sizes: the widths, in words.
        units: width of each hidden layer behind them.
        activation: of convolutions and hidden layers.
        dropout: share dropped in training of the answers and after each hidden layer.
        initializer: of the kernels.
        regularizer: of kernels and biases.
    """
    ids = texts_of(inputs, "text_cnn")
    words = keras.layers.Embedding(inputs.vocabulary_size, dimension, name="words")(ids)
    answers = [
        keras.layers.GlobalMaxPooling1D()(
            keras.layers.Conv1D(
                filters,
                width,
                padding="same",
                activation=activation,
                kernel_initializer=initializer(),
                kernel_regularizer=regularizer.kernel,
                bias_regularizer=regularizer.bias,
            )(words)
        )
        for width in kernel_sizes
    ]
    hidden = keras.layers.Concatenate()(answers) if len(answers) > 1 else answers[0]
    return head(
        dense_beside_table(
            hidden,
            inputs,
            units=units,
            activation=activation,
            dropout=dropout,
            initializer=initializer,
            regularizer=regularizer,
        )
    )


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
    """A recurrent layer over word vectors; its last state (Hochreiter & Schmidhuber 1997; Cho et al. 2014).

    Args:
        inputs: the feature tensors, with `text`.
        head: the last layer.
        dimension: length of a word's vector.
        cell: lstm or gru.
        bidirectional: whether a second layer reads the text from its end.
        recurrent_units: length of a layer's state.
        units: width of each hidden layer behind it.
        activation: of the hidden layers.
        dropout: share dropped in training of the word vectors, the state and after each hidden layer.
        initializer: of the kernels.
        regularizer: of kernels and biases.
    """
    ids = texts_of(inputs, "text_rnn")
    words = keras.layers.Embedding(inputs.vocabulary_size, dimension, mask_zero=True, name="words")(ids)
    if dropout:
        words = keras.layers.SpatialDropout1D(dropout)(words)
    layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell](
        recurrent_units,
        kernel_initializer=initializer(),
        kernel_regularizer=regularizer.kernel,
        bias_regularizer=regularizer.bias,
    )
    hidden = (keras.layers.Bidirectional(layer) if bidirectional else layer)(words)
    return head(
        dense_beside_table(
            hidden,
            inputs,
            units=units,
            activation=activation,
            dropout=dropout,
            initializer=initializer,
            regularizer=regularizer,
        )
    )


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
    """Blocks of self-attention over word and position vectors, then their mean (Vaswani et al. 2017).

    Layers are normalized before they are entered, which trains without a warm-up (Xiong et al. 2020).

    Args:
        inputs: the feature tensors, with `text`.
        head: the last layer.
        dimension: length of a vector.
        blocks: of attention and a dense layer of four times the width.
        heads: of the attention; they share the dimension among them.
        units: width of each hidden layer behind the mean.
        activation: of the dense layers.
        dropout: share dropped in training after each layer.
        initializer: of the dense kernels.
        regularizer: of the dense kernels and biases.
    """
    ids = texts_of(inputs, "text_transformer")
    words = keras.layers.Embedding(inputs.vocabulary_size, dimension, name="words")(ids)
    places = keras.ops.cumsum(keras.ops.ones_like(ids), axis=1) - 1
    hidden = words + keras.layers.Embedding(ids.shape[1], dimension, name="places")(places)
    present = keras.ops.expand_dims(keras.ops.not_equal(ids, 0), 1)
    for _ in range(blocks):
        normed = keras.layers.LayerNormalization()(hidden)
        # A bias of the keys would change no attention, and its gradient is rounding noise that Adam blows up.
        attended = keras.layers.MultiHeadAttention(heads, dimension // heads, use_bias=False, dropout=dropout)(
            normed, normed, attention_mask=present
        )
        hidden = hidden + keras.layers.Dropout(dropout)(attended)
        inner = keras.layers.Dense(
            4 * dimension,
            activation=activation,
            kernel_initializer=initializer(),
            kernel_regularizer=regularizer.kernel,
            bias_regularizer=regularizer.bias,
        )(keras.layers.LayerNormalization()(hidden))
        hidden = hidden + keras.layers.Dropout(dropout)(keras.layers.Dense(dimension)(inner))
    hidden = mean_of_words(keras.layers.LayerNormalization()(hidden), ids)
    return head(
        dense_beside_table(
            hidden,
            inputs,
            units=units,
            activation=activation,
            dropout=dropout,
            initializer=initializer,
            regularizer=regularizer,
        )
    )
