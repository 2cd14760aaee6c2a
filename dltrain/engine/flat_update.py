"""An optimizer's update on all weights laid end to end.

A small network's update is many small operations on each of its weights, and costs more than its gradients. An
optimizer that treats every number by itself gives the same numbers, to the bit, when they all lie in one vector.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from dltrain.engine.update import Update, is_elementwise
from dltrain.training.regularization_schedule import follow, scheduled

MOST_WEIGHTS = 2**20  # above, the copies to and fro take longer than the operations that they save


class FlatUpdate(Update):
    """Does what the optimizer of a model does, and keeps its state in vectors meanwhile.

    Args:
        model: compiled and built, its optimizer too.

    Attributes:
        variables: the vectors.
    """

    def __init__(self, model: keras.Model) -> None:
        super().__init__(model)
        self._weights = list(model.trainable_variables)
        self._sizes = [math.prod(weight.shape) for weight in self._weights]
        self._traced = False
        flat = keras.Variable(keras.ops.zeros(sum(self._sizes)), name="flat")
        settings = self._optimizer.get_config() | {"learning_rate": 0.0}
        self._twin = type(self._optimizer).from_config(settings)
        if (changing := scheduled(self._optimizer)) is not None:
            follow(self._twin, changing)
        self._twin.build([flat])
        # Whoever changes the rate or counts the steps need not know of the twin.
        self._twin._learning_rate = self._optimizer._learning_rate
        self._twin._iterations = self._optimizer._iterations
        self._parts = {
            id(own[0]): (own[0], list(vars(self._optimizer)[name]))
            for name, own in vars(self._twin).items()
            if isinstance(own, list) and own and isinstance(own[0], keras.Variable) and own[0].shape == flat.shape
        }
        self._flat = flat
        self.variables = [own for own, _ in self._parts.values()]

    def begin(self) -> None:
        """Fills the vectors from the weights and the optimizer, before the first step of a graph."""
        for own, parts in self._parts.values():
            own.assign(_end_to_end(parts))

    def end(self) -> None:
        """Gives the optimizer its state back, after the last step; the weights have been up to date at each."""
        for own, parts in self._parts.values():
            if self._traced and own is not self._flat:
                self._assign(parts, own)

    def _apply(self, gradients_and_variables: Any) -> None:
        pairs = list(gradients_and_variables)
        gradients = [gradient for gradient, _ in pairs]
        self._traced = all(isinstance(gradient, tf.Tensor) for gradient in gradients)
        if not self._traced:  # a weight that is not used, or an embedding
            self._optimizer.apply(gradients, [variable for _, variable in pairs])
            return
        self._twin.apply([_end_to_end(gradients)], [self._flat])
        self._assign(self._weights, self._flat)

    def _assign(self, parts: list[keras.Variable], own: keras.Variable) -> None:
        for part, values in zip(parts, tf.split(own.value, self._sizes), strict=True):
            part.assign(tf.reshape(values, part.shape))


def flat_update(model: keras.Model) -> FlatUpdate | None:
    """The update for this model, or None where it would be none, give other numbers, or be slower."""
    sizes = [math.prod(weight.shape) for weight in model.trainable_variables]
    if len(sizes) < 2 or sum(sizes) > MOST_WEIGHTS or not is_elementwise(model):
        return None
    return FlatUpdate(model)


def _end_to_end(tensors: list[Any]) -> Any:
    return tf.concat([tf.reshape(tf.convert_to_tensor(tensor), [-1]) for tensor in tensors], 0)
