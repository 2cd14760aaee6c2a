"""Replaces an optimizer's update by a faster one while a step is traced.

The update of a small network is many small operations on each weight, and costs more than its gradients. An elementwise
optimizer gives the same numbers, to the bit, if all weights are in one vector.

For a large weight, such as an embedding, each of the dozen operations of Adam reads and writes the whole table, which
on texts takes longer than the rest of the step. XLA does them in one pass, and may round the last bit differently.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from dltrain.engine.scheduled_regularization import follow, scheduled
from dltrain.internals.keras_training import is_decayed, share_rate_and_steps, states, trained_weights

logger = logging.getLogger("dltrain")

MOST_WEIGHTS = 2**20  # above, copying takes longer than the operations that it saves
# The flat update takes no sparse gradients, so that a bag of n-grams (`dltrain.models.parts`) above this is worth
# compiling for: on 6,000 words of 32 numbers an epoch takes a third of the time. Other embeddings would gain as much,
# but runs of earlier versions have them, and repeat to the last digit.
BAG, MOST_IN_BAG = "bag_of_ngrams", 2**16
# Keras' optimizers that use only a number's own gradient, value and past, in many operations. TensorFlow rewrites the
# operations of the other elementwise ones (a quotient by a root, a sum of products), and differently here.
ELEMENTWISE = ("Adam", "AdamW", "Adamax", "Lion")


class Update:
    """Replaces the update of a built model's optimizer."""

    variables: Sequence[keras.Variable] = ()  # the variables that it has in addition to the optimizer's

    def __init__(self, model: keras.Model) -> None:
        self._optimizer = model.optimizer

    def begin(self) -> None:
        """Runs before the first step of a graph."""

    def end(self) -> None:
        """Runs after the last step of a graph."""

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Replaces the optimizer's update while a step is traced."""
        self._optimizer.apply_gradients = self._apply
        try:
            yield
        finally:
            del self._optimizer.apply_gradients

    def _apply(self, gradients_and_variables: Any) -> None:
        raise NotImplementedError


class FlatUpdate(Update):
    """Updates all weights in one vector, and meanwhile keeps the optimizer's state in vectors, its `variables`."""

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
        # Callbacks set the rate and read the steps of the model's own optimizer.
        share_rate_and_steps(self._twin, self._optimizer)
        parts = states(self._optimizer)
        self._parts = {
            id(own): (own, parts[name]) for name, (own, *_) in states(self._twin).items() if own.shape == flat.shape
        }
        self._flat = flat
        self.variables = [own for own, _ in self._parts.values()]

    def begin(self) -> None:
        """Fills the vectors from the weights and the optimizer, before the first step of a graph."""
        for own, parts in self._parts.values():
            own.assign(_end_to_end(parts))

    def end(self) -> None:
        """Writes the state back to the optimizer after the last step; each step has updated the weights."""
        for own, parts in self._parts.values():
            if self._traced and own is not self._flat:
                self._assign(parts, own)

    def _apply(self, gradients_and_variables: Any) -> None:
        pairs = list(gradients_and_variables)
        gradients = [gradient for gradient, _ in pairs]
        self._traced = all(isinstance(gradient, tf.Tensor) for gradient in gradients)
        if not self._traced:  # an unused weight has no gradient, and that of an embedding is sparse
            self._optimizer.apply(gradients, [variable for _, variable in pairs])
            return
        self._twin.apply([_end_to_end(gradients)], [self._flat])
        self._assign(self._weights, self._flat)

    def _assign(self, parts: list[keras.Variable], own: keras.Variable) -> None:
        for part, values in zip(parts, tf.split(own.value, self._sizes), strict=True):
            part.assign(tf.reshape(values, part.shape))


class FusedUpdate(Update):
    """Lets XLA compile the optimizer's own operations together."""

    def _apply(self, gradients_and_variables: Any) -> None:
        gradients, variables = zip(*gradients_and_variables, strict=True)

        def update(*gradients: Any) -> None:
            self._optimizer.apply(list(gradients), list(variables))

        # Gradients of embeddings stay sparse, since Keras squares the rows of a batch before it adds those of one word.
        tf.function(update, autograph=False, jit_compile=True)(*gradients)


def flat_update(model: keras.Model) -> FlatUpdate | None:
    """Returns the update of a small model in one vector; None if it would change numbers or be slower."""
    sizes = [math.prod(weight.shape) for weight in model.trainable_variables]
    if len(sizes) < 2 or sum(sizes) > MOST_WEIGHTS or not _is_elementwise(model):
        return None
    return FlatUpdate(model)


def fused_update(model: keras.Model) -> FusedUpdate | None:
    """Returns the update of a large weight in one pass; None if there is none, or numbers would change.

    A GPU has its own kernels for this.
    """
    largest = max((math.prod(weight.shape) for weight in model.trainable_variables), default=0)
    in_bag = sum(math.prod(layer.embeddings.shape) for layer in model.layers if layer.name == BAG)
    small = largest <= MOST_WEIGHTS and in_bag <= MOST_IN_BAG
    if small or not _is_elementwise(model) or tf.config.list_physical_devices("GPU"):
        return None
    logger.debug("XLA compiles the optimizer's update: the largest weight has %d numbers", largest)
    return FusedUpdate(model)


def _is_elementwise(model: keras.Model) -> bool:
    """Returns whether the optimizer treats every number of every weight alone, in known operations of Keras."""
    optimizer, weights = model.optimizer, model.trainable_variables
    known = type(optimizer).__module__.startswith("keras.") and type(optimizer).__name__ in ELEMENTWISE
    own = (
        optimizer.clipnorm
        or optimizer.global_clipnorm
        or optimizer.gradient_accumulation_steps
        or optimizer.loss_scale_factor
        or any(weight.constraint is not None or weight.dtype != "float32" for weight in weights)
        or not all(is_decayed(optimizer, weight) for weight in weights)
    )
    same = [id(weight) for weight in weights] == [id(weight) for weight in trained_weights(optimizer)]
    return known and not own and same and not tf.distribute.has_strategy()


def _end_to_end(tensors: list[Any]) -> Any:
    return tf.concat([tf.reshape(tf.convert_to_tensor(tensor), [-1]) for tensor in tensors], 0)
