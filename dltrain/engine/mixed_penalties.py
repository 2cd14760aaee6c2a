"""Networks with and without penalties on their weights that share their graphs.

A graph without a penalty lacks a few operations of its neighbour's, and each job of a sweep over regularizers would
trace its own. Once a process has seen an architecture with other penalties, a network gets both of Keras' penalties on
every weight that any of them has one on. Those that it lacks have a factor of zero and add exact zeros to the loss and
to the gradients, so that no number changes.
"""

from __future__ import annotations

import hashlib
import math
import threading

import keras
import tensorflow as tf

from dltrain.engine.architecture import architecture
from dltrain.engine.read_numbers import FACTORS, common_penalties, kinds, weights

# A zero is not for nothing: at so many steps, and with so many weights, it takes as long as tracing once more.
MOST_STEPS = 2**13
MOST_WEIGHTS = 2**16

# Of these a gradient is a whole tensor, with a penalty and without. That of an embedding may be of a few rows.
LAYERS = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)

_seen: dict[str, list[list[str]]] = {}  # by the hash of an architecture, of which a search may try thousands
_lock = threading.Lock()


def mix_penalties(model: keras.Model, steps: int) -> None:
    """Gives a network the penalties that others of its architecture have had in this process, of factor zero.

    Args:
        model: compiled and built, before its first graph is traced.
        steps: that it is to be trained, at most.
    """
    if steps > MOST_STEPS or sum(math.prod(weight.shape) for weight in model.trainable_variables) > MOST_WEIGHTS:
        return
    if tf.distribute.has_strategy():
        return  # such a network shares its graphs with none
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
