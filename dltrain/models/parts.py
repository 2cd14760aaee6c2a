"""Defines what a model function receives: its inputs and the head of the task."""

from __future__ import annotations

import re
from collections import UserDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dltrain.config.tasks import TASKS, Task
from dltrain.data.target_scaling import Knots, bent
from dltrain.models import gaussian
from dltrain.models.quantiles import ascending
from dltrain.models.target_units import in_target_units

BAG_DIMENSION = 32  # length of an n-gram's vector in a bag beside other columns


class Inputs(UserDict[str, Any]):
    """The feature tensors by name, with a record of those that a model used.

    Args:
        tensors: Those of `table` (batch, d), `categories` (batch, k), `text` (batch, length) and `image` (batch,
            height, width, channels) that the data has.
        categories: The number of ids of each column of `categories`.
        vocabulary_size: The number of ids in `text`.
        embedding_dimension: The length of a category's vector; None derives it from the number of ids.
        numbers: How many columns at the start of `table` are numbers.
        train: Returns the train rows' values of a tensor by its name, and under `target` their targets (n, outputs),
            for models that start from a statistic of them.
    """

    def __init__(
        self,
        tensors: Mapping[str, Any],
        categories: Mapping[str, int],
        vocabulary_size: int,
        embedding_dimension: int | None,
        numbers: int,
        train: Callable[[str], npt.NDArray[Any]],
    ) -> None:
        super().__init__(tensors)
        self.categories = dict(categories)
        self.vocabulary_size = vocabulary_size
        self.embedding_dimension = embedding_dimension
        self.numbers = numbers
        self.train = train
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        tensor = super().__getitem__(name)
        self.used.add(name)
        return tensor

    def with_tensors(self, tensors: Mapping[str, Any]) -> Inputs:
        """Returns the same inputs with other tensors."""
        sizes = self.vocabulary_size, self.embedding_dimension, self.numbers
        return Inputs(tensors, self.categories, *sizes, self.train)

    def flat(self, table: Any = None, *, images: bool = True, texts: bool = True) -> Any:
        """Joins numbers, embedded categories, pixels and the bag of n-grams, shape (batch, width); None without any.

        `table` replaces the tensor of this name; `images=False` and `texts=False` leave these out.
        """
        blocks = []
        if "table" in self:
            blocks.append(self["table"] if table is None else table)
        if "categories" in self:
            ids = self["categories"]
            for position, (name, count) in enumerate(self.categories.items()):
                width = self.embedding_dimension or min(50, round(1.6 * count**0.56))
                label = re.sub(r"\W", "_", f"embedding_{position}_{name}")
                blocks.append(keras.layers.Embedding(count, width, name=label)(ids[:, position]))
        if "image" in self and images:
            blocks.append(keras.layers.Flatten()(self["image"]))
        if "text" in self and texts:
            ids = self["text"]
            vectors = keras.layers.Embedding(self.vocabulary_size, BAG_DIMENSION, name="bag_of_ngrams")(ids)
            blocks.append(mean_of_words(vectors, ids))
        if not blocks:
            return None
        return keras.layers.Concatenate()(blocks) if len(blocks) > 1 else blocks[0]


def mean_of_words(vectors: Any, ids: Any) -> Any:
    """Averages vectors (batch, length, width) over the words of each text, those with an id above 0."""
    present = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(ids, 0), "float32"), -1)
    count = keras.ops.maximum(keras.ops.sum(present, axis=1), 1.0)
    return keras.ops.sum(vectors * present, axis=1) / count


@dataclass(frozen=True)
class Head:
    """The last layer of a task, called on the last hidden tensor, shape (batch, width).

    The output is multiplied by `scale` and `offset` is added, so that the model predicts in the target's own unit.
    """

    task: str
    units: int
    activation: str | None
    offset: float
    scale: float
    quantiles: tuple[float, ...] = ()  # those of the units, the median first; empty if none are predicted
    knots: Knots = ()  # how a bent quantity is scaled, in place of offset and scale

    @property
    def kind(self) -> Task:
        """The traits of the task."""
        return TASKS[self.task]

    def scaled(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Returns what the network shall give for values of the target, before these are scaled back."""
        return bent(values, self.knots) if self.knots else (values - self.offset) / self.scale

    def __call__(self, hidden: Any, *, initializer: Any = None, regularizer: Any = None, beside: Any = None) -> Any:
        """Returns the model's output, shape (batch, units).

        `initializer` of the kernel is glorot_normal by default, as in the course; `regularizer` has `kernel` and
        `bias`; `beside` are scores of the output's shape, which are added before the activation.
        """
        outputs = keras.layers.Dense(
            self.units,
            activation=self.activation if beside is None else None,
            kernel_initializer=initializer or "glorot_normal",
            kernel_regularizer=regularizer.kernel if regularizer else None,
            bias_regularizer=regularizer.bias if regularizer else None,
            dtype=keras.config.floatx(),  # independent of the precision of the layers before
            name="head",
        )(hidden)
        if beside is not None:
            outputs = keras.layers.Activation(self.activation or "linear", dtype=keras.config.floatx())(
                keras.layers.Add(dtype=keras.config.floatx())([outputs, beside])
            )
        return self._gaussian(outputs) if self.kind.deviation else self._in_units(outputs)

    def of_scores(self, scores: Any, *, apply: bool = True) -> Any:
        """Returns the model's output, shape (batch, units), from scores of that shape without further weights.

        With `apply`, the activation is applied, or natural parameters are made.
        """
        if self.kind.deviation:
            return self._gaussian(scores) if apply else self._of_parameters(scores)
        activation = self.activation if apply else None
        return self._in_units(
            keras.layers.Activation(activation or "linear", dtype=keras.config.floatx(), name="head")(scores)
        )

    def _gaussian(self, scores: Any) -> Any:
        return self._of_parameters(gaussian.natural_parameters(scores))

    def _of_parameters(self, parameters: Any) -> Any:
        return gaussian.mean_and_deviation(parameters, self.offset, self.scale)

    def _in_units(self, outputs: Any) -> Any:
        if self.quantiles:
            outputs = ascending(outputs, self.quantiles)
        if self.knots:
            return in_target_units(outputs, self.knots)
        if (self.offset, self.scale) == (0.0, 1.0):
            return outputs
        rescaling = keras.layers.Rescaling(self.scale, self.offset, dtype=keras.config.floatx(), name="target_units")
        return rescaling(outputs)


@dataclass(frozen=True)
class Regularizers:
    """The built regularizers of kernel and bias; each may be None."""

    kernel: Any
    bias: Any

    def arguments(self, initializer: Callable[[], Any]) -> dict[str, Any]:
        """Returns the arguments of a layer with a kernel for its initializer and its regularizers."""
        regularizers = {"kernel_regularizer": self.kernel, "bias_regularizer": self.bias}
        return {"kernel_initializer": initializer(), **regularizers}
