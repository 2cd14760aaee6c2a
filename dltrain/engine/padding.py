"""Cuts the padding off a batch of texts, where the network ignores it.

Texts are padded to the length of the longest one that a run may see. A bag of words multiplies the vectors of padding
by zero, and a recurrent layer that gets a mask keeps its state over it, so that neither changes without it, but for the
order in which numbers are added. Dropout of single words would draw other numbers, and convolutions read padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from dltrain.internals.keras_networks import calls

# What a tensor that has the texts' length as its second axis holds.
IDS, VECTORS, MASKED = "ids", "vectors", "numbers that are zero for padding"
RECURRENT = ("LSTM", "GRU")


def without_padding(features: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Returns tensors by name; of those in `names`, (rows, length), the columns after the last id above 0 are cut."""
    return features | {name: _cut(features[name]) for name in names}


def ignores_padding(model: keras.Model) -> list[str]:
    """Returns the names of the inputs of ids whose padding changes no number of the network."""
    inputs = [each for each in model.inputs if len(each.shape) == 2 and "int" in str(each.dtype)]
    return [each.name for each in inputs if _ends_without(model, each)]


def _cut(ids: Any) -> Any:
    used = tf.reduce_any(tf.not_equal(ids, 0), 0)
    places = tf.range(1, tf.shape(ids)[1] + 1)
    return ids[:, : tf.reduce_max(tf.where(used, places, 1))]


def _ends_without(model: keras.Model, ids: keras.KerasTensor) -> bool:
    """Returns whether every use of an input ends in a sum over its words, or a state, that padding does not change."""
    kinds = {id(ids): IDS}
    for operation in model.operations:
        for call in calls(operation):
            given = [kinds[id(tensor)] for tensor in call.input_tensors if id(tensor) in kinds]
            if not given:
                continue
            kind = _kind(operation, call.arguments.args, given)
            if kind is None or getattr(operation, "activity_regularizer", None) is not None:
                return False
            if kind:
                kinds |= {id(tensor): kind for tensor in call.outputs}
    return not any(id(tensor) in kinds for tensor in model.outputs)


def _kind(operation: keras.Operation, arguments: Sequence[Any], given: Sequence[str]) -> str | None:
    """Returns what an operation makes of tensors; empty if padding has no part in it, None if it is not known."""
    name = type(operation).__name__
    if name == "NotEqual" and given == [IDS] and arguments[1:] == (0,):
        return MASKED
    if name == "Embedding" and given == [IDS]:
        return VECTORS
    if name == "Multiply" and len(given) == 2 and {VECTORS, MASKED} >= {*given}:
        return MASKED if MASKED in given else VECTORS
    if name in ("Cast", "SpatialDropout1D") or (name == "ExpandDims" and operation.axis == -1):
        return None if given == [IDS] else given[0]
    if name == "Sum" and given == [MASKED] and operation.axis == [1]:
        return ""
    return "" if given == [VECTORS, MASKED] and _is_recurrent(operation) else None  # with the mask as an argument


def _is_recurrent(operation: keras.Operation) -> bool:
    """Returns whether a layer gives the last state after the words that are not masked."""
    inner = operation.forward_layer if type(operation) is keras.layers.Bidirectional else operation
    known = isinstance(inner, keras.layers.RNN) and type(inner).__name__ in RECURRENT
    return known and not (inner.return_sequences or inner.return_state or inner.stateful or inner.unroll)
