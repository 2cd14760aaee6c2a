"""Reads the columns by which rows are split: the group of each row, or its time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from omegaconf import DictConfig

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.base.notes import counted
from dltrain.config.split_rules import column_of_groups
from dltrain.data.dataset import Array, Dataset
from dltrain.data.dates import date_format, days
from dltrain.data.number_format import PLAIN
from dltrain.data.split import Rows


def without_groups(split: DictConfig, cv: DictConfig | None, dataset: Dataset) -> tuple[Dataset, str]:
    """Returns the dataset without the column that names the groups of the rows, unless it is to be a feature.

    A group is the same for no new row, so that what is learned of its name holds for known groups alone. The second
    result is a sentence for the log, empty if all features stay.
    """
    key, column = column_of_groups(split, cv)
    node = cv if key == "cv.group" else split
    if column is None or node is None or node.get("group_is_feature") is not False:
        return dataset, ""
    left = dataset.without(column)
    if len(left.columns) == len(dataset.columns):
        return left, ""
    keep = f"{key.partition('.')[0]}.group_is_feature=true"
    return left, f"  {column} names the groups of the rows and is no feature; {keep} makes it one."


def group_numbers(dataset: Dataset, column: str, key: str) -> Rows:
    """Numbers the group of each row, shape (rows,); features and other columns can both be groups.

    `key` names the setting in errors.

    Raises:
        ConfigError: If there is no such column.
        DataError: If a row has no group.
    """
    cells = _cells(dataset, column, key)
    values: Any = cells.astype(str) if cells.dtype == object else cells
    return np.unique(values, return_inverse=True)[1]


def times(dataset: Dataset, columns: str | Sequence[str], key: str) -> npt.NDArray[np.float64]:
    """Returns the time of each row, shape (rows,): days of a column of dates, else its numbers.

    Several columns, such as year, month and day, give the rank of a row among the different times, which the first
    column decides before the second.

    Raises:
        ConfigError: If there is no such column.
        DataError: If a row has no time, or a column holds words that are no dates.
    """
    if isinstance(columns, str):
        return _moments(dataset, columns, key)
    if not columns:
        raise ConfigError(f"{key}: expected a column, or a list of columns such as [year,month,day], got none.")
    table = np.column_stack([_moments(dataset, column, key) for column in columns])
    return np.unique(table, axis=0, return_inverse=True)[1].astype(np.float64)


def _moments(dataset: Dataset, column: str, key: str) -> npt.NDArray[np.float64]:
    cells = _cells(dataset, column, key)
    if cells.dtype != object:
        return cells.astype(np.float64)
    places, distinct = pd.factorize(cells)
    words = pa.array(distinct, pa.string())
    known = dataset.readings.get(column)
    day_first = None if dataset.undecided is None else dataset.undecided.day_first
    named = known.dates if known and known.dates else date_format(column, words, day_first)
    found = days(words, named) if named else PLAIN.parse(words).to_numpy(zero_copy_only=False)
    if np.isnan(found).any():
        word = words[int(np.flatnonzero(np.isnan(found))[0])].as_py()
        raise DataError(
            f"{key}: column '{column}' holds '{word}'; expected dates of one format, such as 2020-12-31, or "
            "numbers, by which the rows can be ordered."
        )
    return np.asarray(found, np.float64)[places]


def _cells(dataset: Dataset, column: str, key: str) -> Array:
    """Returns the cells of a column that need not be a feature: numbers, or words."""
    found: Array | None = dataset.columns.get(column, dataset.other_columns.get(column))
    if found is None and dataset.undecided is not None:
        found = dataset.undecided.source_column(dataset, column)
    if found is None:
        source = () if dataset.undecided is None else dataset.undecided.source_columns
        names = {*dataset.columns, *dataset.other_columns, *source} - set(dataset.target)
        hint = did_you_mean(column, names)
        if column in dataset.target:
            raise ConfigError(f"{key}: column '{column}' of {dataset.name} is its target; expected another one.{hint}")
        raise ConfigError(f"{key}: {dataset.name} has no column '{column}'.{hint}")
    if found.ndim > 1:
        raise ConfigError(f"{key}: column '{column}' holds images; expected a column of words, dates or numbers.")
    missing = np.flatnonzero(found == "" if found.dtype == object else np.isnan(found.astype(np.float64)))
    if len(missing):
        raise DataError(
            f"{key}: column '{column}' is empty in row {dataset.row_ids[missing[0]]} "
            f"({counted(len(missing), 'row')} in all); expected a value in each row."
        )
    return found
