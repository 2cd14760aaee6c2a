"""What a model function is handed: its inputs and the head that the task asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy.typing as npt

from dltrain.config.tasks import TASKS, Task
from dltrain.models import gaussian


class Inputs(Mapping[str, Any]):
    """The feature tensors by name, and which of them a model has looked at.

    Args:
        tensors: `table` (batch, d), `categories` (batch, k), `text` (batch, length), `image` (batch, h, w, channels);
            those that the data has.
        categories: number of ids in each column of `categories`, by column.
        vocabulary_size: number of ids in `text`.
        embedding_dimension: length of a category's vector, or None for a rule.
        numbers: how many columns `table` begins with that are numbers.
        train: gives the train rows' values of a tensor by its name, and under `target` their target (n, outputs);
            for models that begin with a statistic of them.
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
        self._tensors = dict(tensors)
        self.categories = dict(categories)
        self.vocabulary_size = vocabulary_size
        self.embedding_dimension = embedding_dimension
        self.numbers = numbers
        self.train = train
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        tensor = self._tensors[name]
        self.used.add(name)
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    def flat(self, table: Any = None, *, images: bool = True) -> Any:
        """Numbers, embedded categories and pixels side by side, shape (batch, width); None where there are none.

        Args:
            table: takes the place of the tensor `table`.
            images: false leaves the pixels out.
        """
        blocks = []
        if "table" in self:
            blocks.append(self["table"] if table is None else table)
        if "categories" in self:
            ids = self["categories"]
            for position, (name, count) in enumerate(self.categories.items()):
                width = self.embedding_dimension or min(50, round(1.6 * count**0.56))
                blocks.append(
                    keras.layers.Embedding(count, width, name=f"embedding_{position}_{_safe(name)}")(ids[:, position])
                )
        if "image" in self and images:
            blocks.append(keras.layers.Flatten()(self["image"]))
        if not blocks:
            return None
        return keras.layers.Concatenate()(blocks) if len(blocks) > 1 else blocks[0]


def _safe(name: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in name)


@dataclass(frozen=True)
class Head:
    """The last layer of a task; call it on the last hidden tensor, shape (batch, width).

    Attributes:
        task: name of the row of the head table.
        units: number of outputs.
        activation: of the head table, or None.
        offset: added to the output after `scale`, so that the model answers in the target's own units.
        scale: in the target's units.
    """

    task: str
    units: int
    activation: str | None
    offset: float
    scale: float

    @property
    def kind(self) -> Task:
        """The traits of the task."""
        return TASKS[self.task]

    def __call__(self, hidden: Any, *, initializer: Any = None, regularizer: Any = None) -> Any:
        """The model's answer, shape (batch, units).

        Args:
            hidden: the last hidden tensor.
            initializer: of the kernel; glorot_normal by default, as in the course.
            regularizer: with a `kernel` and a `bias` regularizer; none by default.
        """
        outputs = keras.layers.Dense(
            self.units,
            activation=self.activation,
            kernel_initializer=initializer or "glorot_normal",
            kernel_regularizer=regularizer.kernel if regularizer else None,
            bias_regularizer=regularizer.bias if regularizer else None,
            dtype=keras.config.floatx(),  # whatever the precision of the layers before
            name="head",
        )(hidden)
        return self._gaussian(outputs) if self.kind.deviation else self._in_units(outputs)

    def of_scores(self, scores: Any, *, apply: bool = True) -> Any:
        """The model's answer from scores that need no further weights, shape (batch, units).

        Args:
            scores: shape (batch, units).
            apply: whether the activation is still to be applied, or natural parameters to be made.
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
        if (self.offset, self.scale) != (0.0, 1.0):
            outputs = keras.layers.Rescaling(self.scale, self.offset, dtype=keras.config.floatx(), name="target_units")(
                outputs
            )
        return outputs


@dataclass(frozen=True)
class Regularizers:
    """The penalties of the group `regularizer`, built; each may be None."""

    kernel: Any
    bias: Any
