"""Computes the softmax of few classes by plain operations while a step is traced.

TensorFlow's own takes its kernel from oneDNN, which prepares it anew at each call: for 32 rows and 3 classes that takes
half as long as the rest of a small network's step. The loss is computed from the scores, as with Keras' softmax, so
that training has the same numbers; only metrics read the probabilities, which may differ in the last digit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from dltrain.internals.keras_training import all_layers, keep_scores

MOST_CLASSES = 64  # above, oneDNN computes faster than it prepares


@contextmanager
def plain_softmax(model: keras.Model) -> Iterator[None]:
    """Replaces the softmax of a model's layers while a step is traced."""
    layers = [layer for layer in all_layers(model) if getattr(layer, "activation", None) is keras.activations.softmax]
    for layer in layers:
        layer.activation = _softmax
    try:
        yield
    finally:
        for layer in layers:
            layer.activation = keras.activations.softmax


def _softmax(scores: Any) -> Any:
    classes = scores.shape[-1]
    if classes is None or classes > MOST_CLASSES:
        return keras.activations.softmax(scores)
    powers = tf.exp(scores - tf.stop_gradient(tf.reduce_max(scores, -1, keepdims=True)))
    shares = powers / tf.reduce_sum(powers, -1, keepdims=True)
    keep_scores(shares, scores)
    return shares
