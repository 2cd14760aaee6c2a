"""Lays a grid over one or two columns of a table, the others held at their usual value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.data.dataset import Dataset

MOST_WORDS = 12  # of a category, the most frequent ones
MARGIN = 0.1  # of the range of a number, to either side


def checked_columns(columns: Sequence[str] | None, dataset: Dataset) -> list[str]:
    """Returns one or two columns that can be drawn, which are numbers or categories."""
    kinds = dataset.kinds
    usable = [name for kind in ("numeric", "category") for name in dataset.columns if kinds[name] == kind]
    unlike = next((name for name in dataset.columns if kinds[name] in ("text", "image")), None)
    key = "callbacks.decision_boundary.columns"
    if unlike is not None:
        raise ConfigError(
            f"callbacks.decision_boundary: expected a table of numbers and categories, and '{unlike}' is of kind "
            f"{kinds[unlike]}."
        )
    if columns is None:
        if not usable:
            raise ConfigError("callbacks.decision_boundary: the data have no column of numbers or categories.")
        return usable[:2]
    if not 0 < len(columns) <= 2 or len(set(columns)) < len(columns):
        raise ConfigError(f"{key}: expected one column or two different ones, got {list(columns)}.")
    for name in columns:
        if name not in kinds:
            raise ConfigError(f"{key}: the data have no column '{name}'.{did_you_mean(name, usable)}")
        if name not in usable:
            raise ConfigError(
                f"{key}: expected columns of numbers or categories, and '{name}' is of kind {kinds[name]}."
            )
    return list(columns)


def axis_of(name: str, train: Dataset) -> dict[str, Any]:
    """Returns a column with its lowest and greatest number to draw, or its most frequent words."""
    cells = train.columns[name]
    if train.kinds[name] == "category":
        words = pd.Series(cells[cells != ""]).value_counts().index[:MOST_WORDS]
        return {"name": name, "words": sorted(map(str, words)) or [""]}
    numbers = np.asarray(cells, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    # A few far values would leave no room for all others.
    low, high = np.quantile(numbers, (0.005, 0.995)) if len(numbers) else (0.0, 0.0)
    margin = MARGIN * (high - low) or 1.0
    return {"name": name, "low": float(low - margin), "high": float(high + margin)}


def usual_cell(train: Dataset, name: str) -> Any:
    """Returns the median of a column of numbers, or the most frequent cell of another one."""
    cells = train.columns[name]
    if train.kinds[name] == "numeric":
        numbers = np.asarray(cells, np.float64)
        return float(np.nanmedian(numbers)) if np.isfinite(numbers).any() else 0.0
    return str(pd.Series(cells).value_counts().index[0])


def places_of(axis: Mapping[str, Any], rows: Dataset) -> list[float | None]:
    """Returns where the rows stand on an axis: the number, or the place of the word; None where there is neither."""
    cells = rows.columns[axis["name"]]
    if "words" in axis:
        return [axis["words"].index(word) if word in axis["words"] else None for word in cells]
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in np.asarray(cells, np.float64)]


def grid_of(train: Dataset, axes: Sequence[Mapping[str, Any]], held: Mapping[str, Any], cells: int) -> Dataset:
    """Returns rows over all values of the axes, the first one fastest, from the lowest to the greatest value."""
    values = [
        np.array(axis["words"], dtype=object) if "words" in axis else np.linspace(axis["low"], axis["high"], cells)
        for axis in axes
    ]
    meshed = [each.ravel() for each in np.meshgrid(*values)]
    count = len(meshed[0])
    columns: dict[str, Any] = {axis["name"]: found for axis, found in zip(axes, meshed, strict=True)}
    for name, value in held.items():
        columns[name] = np.full(count, value, dtype=object if isinstance(value, str) else np.float64)
    rows = train.take(np.zeros(count, np.intp))
    return replace(rows, columns={name: columns[name] for name in train.columns})
