"""What may take the place of an optimizer's update while a step is traced."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

# Those of Keras that look at nothing but a number's own gradient, value and past, and do so in many operations. Of the
# others like them TensorFlow rewrites the operations (a quotient by a root, a sum of products), and not alike here.
ELEMENTWISE = ("Adam", "AdamW", "Adamax", "Lion")


class Update:
    """Does what the optimizer of a model does, in another way.

    Args:
        model: compiled and built, its optimizer too.

    Attributes:
        variables: that it has beside the optimizer's.
    """

    variables: Sequence[keras.Variable] = ()

    def __init__(self, model: keras.Model) -> None:
        self._optimizer = model.optimizer

    def begin(self) -> None:
        """Called before the first step of a graph."""

    def end(self) -> None:
        """Called after the last step of a graph."""

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Takes the optimizer's place while a step is traced."""
        self._optimizer.apply_gradients = self._apply
        try:
            yield
        finally:
            del self._optimizer.apply_gradients

    def _apply(self, gradients_and_variables: Any) -> None:
        raise NotImplementedError


def is_elementwise(model: keras.Model) -> bool:
    """Whether the optimizer treats every number of every weight by itself, in operations of Keras that are known."""
    optimizer, weights = model.optimizer, model.trainable_variables
    known = type(optimizer).__module__.startswith("keras.") and type(optimizer).__name__ in ELEMENTWISE
    own = (
        optimizer.clipnorm
        or optimizer.global_clipnorm
        or optimizer.gradient_accumulation_steps
        or optimizer.loss_scale_factor
        or hasattr(optimizer, "_exclude_from_weight_decay")
        or any(weight.constraint is not None or weight.dtype != "float32" for weight in weights)
    )
    same = [id(weight) for weight in weights] == [id(weight) for weight in optimizer._trainable_variables]
    return known and not own and same and not tf.distribute.has_strategy()
