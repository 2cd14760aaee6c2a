"""Lets graphs read dropout rates and regularization factors when they run, so that models share them.

Keras writes both into a graph as constants, so that jobs of a sweep that differ only in them would each trace their own
graphs. Here a number stays a number for Keras and in saved files, and becomes a variable where TensorFlow makes a
tensor of it. What Keras computes from it before, such as the scale of the units that are kept, is still computed in
Python.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from dltrain.internals.keras_training import all_layers, own_weights

REGULARIZERS = ("L1", "L2", "L1L2")
DROPOUTS = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")
FACTORS = ("l1", "l2")
ANY = 0.5  # stands for any number


class ReadNumber(float):
    """A number with a variable of its value, which a graph reads."""

    variables: list[tf.Variable]  # that of the number and, for a rate, that of the scale of the units that are kept

    def __new__(cls, value: float) -> ReadNumber:
        """Makes a number whose variable holds it in 32 bits."""
        made = super().__new__(cls, value)
        made.variables = [tf.Variable(float(value), trainable=False, dtype="float32")]
        return made

    def assign(self, value: float) -> None:
        """Changes the value that graphs read."""
        self.variables[0].assign(value)

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        """Returns the variable's value, where TensorFlow makes a tensor of the number."""
        return self.variables[0].read_value()


class ReadRate(ReadNumber):
    """A dropout rate, of which a graph also reads `1 / (1 - rate)`."""

    def __new__(cls, value: float) -> ReadRate:
        """Makes a rate below 1."""
        made: Any = super().__new__(cls, value)
        made.scale = ReadNumber(1 / (1 - float(value)))
        made.variables += made.scale.variables
        return made  # type: ignore[no-any-return]

    def assign(self, value: float) -> None:
        """Changes the rate, below 1, that graphs read."""
        super().assign(value)
        self.scale.assign(1 / (1 - value))  # type: ignore[attr-defined]

    def __rsub__(self, other: Any) -> Any:
        """Returns the share of units that are kept, as TensorFlow's dropout computes it."""
        left = float(other) - float(self)
        return KeptShare(left, self.scale) if other == 1 else left  # type: ignore[attr-defined]


class KeptShare(float):
    """The share of units that a dropout keeps, of which a graph reads the inverse."""

    scale: ReadNumber

    def __new__(cls, value: float, scale: ReadNumber) -> KeptShare:
        """Makes a share with the number that is read instead of its inverse."""
        made = super().__new__(cls, value)
        made.scale = scale
        return made

    def __rtruediv__(self, other: Any) -> Any:
        return self.scale if other == 1 else float(other) / float(self)


def read_numbers(model: keras.Model) -> list[tf.Variable]:
    """Makes a model's graphs read its rates and factors, and returns their variables in the order of its layers.

    Its layers get numbers of the same values; calling it again changes nothing.
    """
    return [variable for holder, name in _places(model) for variable in _number(holder, name).variables]


def must_be_read(model: keras.Model, *, trains: bool) -> Iterator[tuple[str, tf.Variable]]:
    """Yields the variables that a graph of the model must have as inputs, each with the name of its number.

    `trains` tells whether the graph trains; other graphs have no dropout.
    """
    for holder, name in _places(model, frozen=False):
        if trains or name != "rate":
            # If a schedule changes the rate, the graph computes the scale.
            read = getattr(holder, name).variables[: 1 if "call" in vars(holder) else None]
            yield from ((f"{type(holder).__name__}.{name}", variable) for variable in read)


@contextmanager
def other_numbers(model: keras.Model) -> Iterator[None]:
    """Changes every number that the model's graphs read, each to a different value."""
    numbers = {id(each): each for each in (getattr(holder, name) for holder, name in _places(model))}
    size = sum(math.prod(weight.shape) for _, weight in weights(model))
    before = [variable.numpy() for variable in read_numbers(model)]
    for place, number in enumerate(numbers.values()):
        value = 0.3 + (place * 0.618) % 0.4
        if not isinstance(number, ReadRate):
            value /= math.sqrt(size)  # so that a penalty on many weights does not dominate the loss
        number.assign(1.3 * value if abs(value - number) < 0.1 * value else value)
    try:
        yield
    finally:
        for variable, value in zip(read_numbers(model), before, strict=True):
            variable.assign(value)


@contextmanager
def plain_numbers(model: keras.Model) -> Iterator[None]:
    """Gives layers and Keras' own penalties plain numbers with the values that the graphs read."""
    regularizers = [(weight, weight.regularizer) for _, weight in weights(model)]
    numbers = [
        (holder, name, number)
        for holder, name in _places(model)
        if isinstance(number := getattr(holder, name), ReadNumber)  # else it is plain already
    ]
    for holder, name, number in numbers:
        setattr(holder, name, float(number.variables[0].numpy()))
    for weight, regularizer in regularizers:
        if isinstance(regularizer, Penalty):
            weight.regularizer = keras.regularizers.L1L2(regularizer.l1, regularizer.l2)
    try:
        yield
    finally:
        for weight, regularizer in regularizers:
            weight.regularizer = regularizer
        for holder, name, number in numbers:
            setattr(holder, name, number)


@contextmanager
def left_out(model: keras.Model) -> Iterator[None]:
    """Hides the numbers that a model's graphs read while its configuration is read."""
    hidden = [(holder, name, getattr(holder, name)) for holder, name in _places(model)]
    for holder, name, _ in hidden:
        setattr(holder, name, ANY)
    try:
        yield
    finally:
        for holder, name, value in hidden:
            setattr(holder, name, value)


def sharing(model: keras.Model) -> list[int]:
    """Returns, for each number that is read, the index of the first equal one, since layers may share a regularizer."""
    first: dict[tuple[int, str], int] = {}
    return [first.setdefault((id(holder), name), place) for place, (holder, name) in enumerate(_places(model))]


def weights(model: keras.Model) -> Iterator[tuple[keras.Layer, keras.Variable]]:
    """Yields each trainable weight with its layer, layer by layer."""
    return ((layer, weight) for layer in all_layers(model) for weight in own_weights(layer))


def kinds(model: keras.Model) -> list[list[str]]:
    """Returns, for each of `weights`, the factors that its regularizer reads."""
    return [_factors(weight.regularizer) for _, weight in weights(model)]


def common_penalties(model: keras.Model, wanted: list[list[str]]) -> None:
    """Adds penalties of factor zero to those of Keras, so that the graphs of other models fit.

    `wanted` holds, for each weight as in `kinds`, the factors to be read, at least those that it has.
    """
    for (_, weight), names in zip(weights(model), wanted, strict=True):
        if names != _factors(weight.regularizer):
            weight.regularizer = Penalty(**{name: getattr(weight.regularizer, name, 0.0) for name in FACTORS})


class Penalty(keras.regularizers.Regularizer):
    """Both penalties on a weight; a factor of zero adds an exact zero to loss and gradients."""

    def __init__(self, l1: float, l2: float) -> None:
        self.l1, self.l2 = ReadNumber(l1), ReadNumber(l2)

    def __call__(self, x: Any) -> Any:
        """Returns the sum of Keras' penalties of a weight, a scalar."""
        x = tf.convert_to_tensor(x)
        return _absolute(x, self.l1.variables[0].read_value()) + _squared(x, self.l2.variables[0].read_value())


# The products of TensorFlow's own gradients, without the operations that give the gradient of a sum the shape of a
# weight. A factor of zero gives zero even if the sum is infinite.
@tf.custom_gradient  # type: ignore[untyped-decorator]
def _absolute(x: Any, l1: Any) -> Any:
    return tf.math.multiply_no_nan(tf.reduce_sum(tf.abs(x)), l1), lambda above: (above * l1 * tf.sign(x), None)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _squared(x: Any, l2: Any) -> Any:
    return tf.math.multiply_no_nan(tf.reduce_sum(tf.square(x)), l2), lambda above: (above * l2 * (x * 2.0), None)


def _number(holder: Any, name: str) -> ReadNumber:
    found = getattr(holder, name)
    if not isinstance(found, ReadNumber):
        found = (ReadRate if name == "rate" else ReadNumber)(found)
        setattr(holder, name, found)
    return found


def _places(model: keras.Model, *, frozen: bool = True) -> Iterator[tuple[Any, str]]:
    for layer in all_layers(model):
        if type(layer).__name__ in DROPOUTS and layer.rate and layer.compute_dtype == "float32":
            yield layer, "rate"
        for weight in own_weights(layer):
            if frozen or weight.trainable:
                yield from ((weight.regularizer, name) for name in _factors(weight.regularizer))


def _factors(regularizer: Any) -> list[str]:
    if isinstance(regularizer, Penalty):
        return list(FACTORS)
    if type(regularizer).__name__ not in REGULARIZERS:
        return []
    return [name for name in FACTORS if getattr(regularizer, name, 0)]
