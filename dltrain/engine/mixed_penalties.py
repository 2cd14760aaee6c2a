"""Lets networks with and without penalties on their weights share graphs.

A graph without a penalty lacks a few operations, so that each job of a sweep over regularizers would trace its own.
Once a process has seen an architecture with other penalties, a network gets both of Keras' penalties on every weight
for which one of them has a penalty. Those that it lacks have the factor zero and add exact zeros to loss and gradients,
so that no number changes.
"""

from __future__ import annotations

import hashlib
import math
import threading

import keras
import tensorflow as tf

from dltrain.engine.architecture import architecture
from dltrain.engine.read_numbers import FACTORS, common_penalties, kinds, weights

# Computing penalties of zero takes time: for more steps or weights it takes longer than tracing another graph.
MOST_STEPS = 2**13
MOST_WEIGHTS = 2**16

# Layers whose gradients are dense tensors, with and without a penalty; that of an embedding may be sparse.
LAYERS = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)

_seen: dict[str, list[list[str]]] = {}  # by the hash of an architecture, since a search may try thousands
_lock = threading.Lock()


def mix_penalties(model: keras.Model, steps: int) -> None:
    """Gives a network penalties of factor zero where others of its architecture had penalties in this process.

    The model is compiled and built, and no graph of it has been traced; `steps` is the most that it trains.
    """
    if steps > MOST_STEPS or sum(math.prod(weight.shape) for weight in model.trainable_variables) > MOST_WEIGHTS:
        return
    if tf.distribute.has_strategy():
        return  # networks on replicas share no graphs
    text = architecture(model, trains=False, penalties=False)
    if text is None:
        return
    own, key = kinds(model), hashlib.sha256(text.encode()).hexdigest()
    with _lock:
        seen = _seen.setdefault(key, own)
        both = [list(FACTORS) if names or others else [] for names, others in zip(own, seen, strict=True)]
        suits = all(_is_suited(*each) for each, names in zip(weights(model), both, strict=True) if names)
        if seen == own or not suits:
            return
        _seen[key] = both
    common_penalties(model, both)


def _is_suited(layer: keras.Layer, weight: keras.Variable) -> bool:
    return isinstance(layer, LAYERS) and weight.dtype == "float32"
