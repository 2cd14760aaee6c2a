"""Builds a network for texts beside other columns; conf/model/mixed.yaml explains its options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from dltrain.models.mlp import dense_stack
from dltrain.models.parts import Head, Inputs, Regularizers
from dltrain.models.text_linear import ngram_scores, rarity_of
from dltrain.models.text_parts import texts_of


def mixed(
    inputs: Inputs,
    head: Head,
    *,
    units: Sequence[int],
    activation: str,
    dropout: float,
    naive_bayes: bool,
    smoothing: float,
    interpolation: float,
    rarity: bool,
    normalize: bool | str,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
    normalization: Callable[[], Any] | None,
) -> Any:
    """Adds the weights of a text's n-grams, as `text_linear` has them, to a dense network on the other columns.

    The other columns also have a weight each, without a hidden layer (a wide and a deep part; Cheng et al. 2016).
    """
    ids = texts_of(inputs, "mixed")
    scores = ngram_scores(
        inputs, ids, head,
        naive_bayes=naive_bayes, smoothing=smoothing, interpolation=interpolation,
        rare=rarity_of(inputs) if rarity else None, normalize=normalize, dropout=0.0, regularizer=regularizer,
    )  # fmt: skip
    beside = inputs.flat(texts=False)
    if beside is None:
        beside = keras.ops.ones_like(scores[:, :1])
    hidden = dense_stack(beside, units, activation, dropout, initializer, regularizer, normalization)
    parts = [scores]
    for name, columns in [("deep", hidden)] * bool(units) + [("wide", beside)]:
        # Both begin at 0, as the weights of the n-grams do.
        own = regularizer.arguments(keras.initializers.Zeros)
        parts.append(keras.layers.Dense(head.units, use_bias=name == "wide", **own, name=name)(columns))
    return head.of_scores(keras.layers.Add()(parts))
