"""Encodes the raw target for a task and scales it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dltrain.base.errors import ConfigError, DataError
from dltrain.config.tasks import BINARY, MULTICLASS, MULTILABEL, REGRESSION, TASKS, Task
from dltrain.data.dataset import Dataset
from dltrain.data.target_scaling import Knots, bent, knots_of, unbent

MOST_CLASSES_OF_NUMBERS = 10


@dataclass(frozen=True)
class Target:
    """The encoded target of every row."""

    task: str
    # (n,) int32 class numbers for multiclass, (n,) float32 for binary (0 or 1) and regression, (n, C) float32 of 0 and
    # 1 for multilabel
    values: npt.NDArray[Any]
    classes: tuple[str, ...] = ()  # names of the classes or labels; empty for regression
    offset: float = 0.0  # added to the last layer's output after it is multiplied by `scale`
    scale: float = 1.0  # in the unit of the target; 1 for classes
    knots: Knots = ()  # how a bent quantity is scaled, in place of offset and scale
    weights: npt.NDArray[np.float64] | None = None  # (n,) as in the dataset
    quantiles: tuple[float, ...] = ()  # those that are predicted, the median first; empty if none are

    @property
    def kind(self) -> Task:
        """The traits of the task."""
        return TASKS[self.task]

    @property
    def units(self) -> int:
        """The number of units of the last layer."""
        return self.kind.units or len(self.classes) or len(self.quantiles)

    @property
    def strata(self) -> npt.NDArray[np.integer] | None:
        """The class number of each row, or None for a target without classes."""
        return self.values.astype(np.int64) if self.kind.one_class else None

    @property
    def column(self) -> npt.NDArray[Any]:
        """The values with a column for each unit, (n, 1) or (n, C), so that a custom loss cannot misbroadcast them."""
        return self.values[:, None] if self.values.ndim == 1 else self.values

    def take(self, rows: npt.NDArray[np.integer]) -> Target:
        """Selects rows by their positions."""
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, values=self.values[rows], weights=weights)

    @property
    def relative_weights(self) -> npt.NDArray[np.float64] | None:
        """The weights with mean 1, (n,), so that a sum over rows divided by their number is a weighted mean."""
        return None if self.weights is None else self.weights / self.weights.mean()

    @property
    def effective_rows(self) -> float:
        """How many rows of the same weight would tell as much, (sum w)^2 / sum w^2 (Kish 1965); at most all rows."""
        if self.weights is None:
            return len(self.values)
        return float(self.weights.sum() ** 2 / np.square(self.weights).sum())

    def mean(self, by_row: npt.NDArray[Any]) -> float:
        """Returns the mean of a number for each row, shape (n,), weighted as the rows are."""
        return float(by_row.mean() if self.weights is None else np.average(by_row, weights=self.weights))

    @property
    def is_scaled(self) -> bool:
        """Whether the network is trained on other values than those of the target."""
        return bool(self.knots) or (self.offset, self.scale) != (0.0, 1.0)

    @property
    def center(self) -> float:
        """The value whose scaled value is 0, in the unit of the target."""
        return float(bent(np.zeros(()), unbent(self.knots))) if self.knots else self.offset

    def scaled_on(self, train: npt.NDArray[np.integer], scaling: str = "standard") -> Target:
        """Returns the same target, scaled as `task.target_scaling` says by the train rows alone.

        Raises:
            ConfigError: If these cannot be bent so.
        """
        values = self.values[train].astype(np.float64)
        # Rounding would give a constant target a tiny deviation.
        scale = float(values.std()) if values.min() < values.max() else 1.0
        knots = () if scaling == "standard" else knots_of(values, scaling)
        return replace(self, offset=float(values.mean()), scale=scale, knots=knots)


def without_missing(dataset: Dataset) -> tuple[Dataset, int]:
    """Drops the rows whose target is missing, and returns how many those were."""
    missing = np.zeros(len(dataset), dtype=bool)
    for cells in dataset.target.values():
        missing |= (pd.isna(cells) | (cells == "")) if cells.dtype == object else np.isnan(cells.astype(np.float64))
    return dataset.take(np.flatnonzero(~missing)) if missing.any() else dataset, int(missing.sum())


def infer(dataset: Dataset) -> tuple[str, str]:
    """Infers the task that fits the target, and returns its name and the reason."""
    if len(dataset.target) > 1:
        return MULTILABEL.name, f"{len(dataset.target)} target columns"
    ((name, cells),) = dataset.target.items()
    values = np.unique(pd.unique(cells).astype(str) if cells.dtype == object else cells)
    if len(values) == 2:
        return BINARY.name, f"'{name}' has two values, {_text(values[0])} and {_text(values[1])}"
    if cells.dtype == object:
        return MULTICLASS.name, f"'{name}' has {len(values)} values that are not numbers"
    if len(values) <= MOST_CLASSES_OF_NUMBERS and np.all(values == np.round(values)):
        return MULTICLASS.name, f"'{name}' has {len(values)} whole numbers; task=regression treats them as a quantity"
    return REGRESSION.name, f"'{name}' has {len(values)} different numbers"


def encode(dataset: Dataset, task: str, quantiles: Sequence[float] = ()) -> Target:
    """Encodes a target without missing values for a task, which is not auto.

    `quantiles` are those to predict, the median first, if the task predicts any.

    Raises:
        DataError: If the values are unusable, such as a single class or an infinite number.
        ConfigError: If the task does not fit the target.
    """
    return replace(_encoded(dataset, task), weights=dataset.weights, quantiles=tuple(quantiles))


def _encoded(dataset: Dataset, task: str) -> Target:
    kind = TASKS[task]
    if kind.labels:
        return _labels(dataset, task)
    if len(dataset.target) > 1:
        raise ConfigError(
            f"task={task} expects one target column, dataset.target names {len(dataset.target)}; use task=multilabel."
        )
    ((name, cells),) = dataset.target.items()
    return _classes(name, cells, kind) if kind.one_class else _quantity(name, cells, kind, dataset)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, (float, np.floating)) and value.is_integer() else str(value)


def _classes(name: str, cells: npt.NDArray[Any], task: Task) -> Target:
    if cells.dtype == object:
        numbers, values = pd.factorize(cells, sort=True)  # many times faster than sorting all words
    else:
        values, numbers = np.unique(cells, return_inverse=True)
    classes = tuple(_text(value) for value in values)
    if len(classes) < 2:
        raise DataError(
            f"Target '{name}' has one class only, {', '.join(classes) or 'no rows'}: there is nothing to learn."
        )
    if task.two_classes:
        if len(classes) != 2:
            raise ConfigError(
                f"task=binary expects a target of two classes, '{name}' has {len(classes)} ({', '.join(classes[:5])}"
                f"{', …' if len(classes) > 5 else ''}). Use task=multiclass"
                + ("." if cells.dtype == object else " or task=regression.")
            )
        return Target(task.name, numbers.astype(np.float32), classes)
    if len(classes) > len(cells) / 2:
        raise ConfigError(
            f"task={task.name}: target '{name}' has {len(classes)} classes in {len(cells)} rows, "
            "fewer than two rows a class." + ("" if cells.dtype == object else " Use task=regression.")
        )
    return Target(task.name, numbers.astype(np.int32), classes)


def _labels(dataset: Dataset, task: str) -> Target:
    columns = []
    for name, cells in dataset.target.items():
        column = np.array([{"False": 0.0, "True": 1.0, "0": 0.0, "1": 1.0}.get(_text(cell), np.nan) for cell in cells])
        bad = np.flatnonzero(np.isnan(column))
        if len(bad):
            raise ConfigError(
                f"task={task} expects targets of 0 and 1, column '{name}' has '{_text(cells[bad[0]])}' "
                f"in row {dataset.row_ids[bad[0]]}."
            )
        columns.append(column)
    return Target(task, np.column_stack(columns).astype(np.float32), tuple(dataset.target))


def _quantity(name: str, cells: npt.NDArray[Any], task: Task, dataset: Dataset) -> Target:
    if cells.dtype == object:
        raise ConfigError(
            f"task={task.name} expects a target of numbers, '{name}' holds text such as '{cells[0]}'. Use task=auto."
        )
    values = cells.astype(np.float64)
    if not np.isfinite(values).all():
        row = dataset.row_ids[np.flatnonzero(~np.isfinite(values))[0]]
        raise DataError(f"Target '{name}' is infinite in row {row}; expected finite numbers.")
    if values.min() == values.max():
        raise DataError(f"Target '{name}' is {_text(values[0])} in every row: there is nothing to learn.")
    if np.abs(values).max() > np.finfo(np.float32).max / 1e6:
        raise DataError(
            f"Target '{name}' reaches {np.abs(values).max():g}, too large for 32-bit training; divide it first."
        )
    if task.unbounded:
        return Target(task.name, values.astype(np.float32))
    low, high = dataset.target_range or (0.0, 1.0)
    outside = np.flatnonzero((values < low) | (values > high))
    if len(outside):
        raise ConfigError(
            f"task={task.name} expects targets from {low:g} to {high:g}, '{name}' is {values[outside[0]]:g} in row "
            f"{dataset.row_ids[outside[0]]}. Use task=regression."
        )
    return Target(task.name, values.astype(np.float32), offset=low, scale=high - low)
