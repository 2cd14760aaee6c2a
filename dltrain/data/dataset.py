"""Defines the raw data that every source returns: columns, target, and origin."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from dltrain.base.errors import DataError
from dltrain.data.column_reading import ColumnReading
from dltrain.data.recipe import Recipe
from dltrain.data.row_view import lengths, take
from dltrain.data.storage import release_pages

Kind = Literal["numeric", "category", "text", "image", "date"]

Array = npt.NDArray[np.generic]

HASHED_AT_ONCE = 4_096  # cells of words that are joined at a time
BYTES_AT_ONCE = 2**26  # of numbers and images that are hashed at a time


class Undecided(Protocol):
    """Columns of a dataset before the train rows have decided which are features, and of which kind."""

    def take(self, rows: npt.NDArray[np.integer]) -> Undecided:
        """Selects rows by position."""

    @property
    def source_columns(self) -> Iterable[str]:
        """The names of all columns of the source."""

    @property
    def day_first(self) -> bool | None:
        """Whether the day comes before the month in dates that leave it open; None refuses these."""

    def source_column(self, dataset: Dataset, column: str) -> Array | None:
        """Returns a column of the source that is no target, as words with "" for a missing cell, if there is one."""

    def without(self, column: str) -> Undecided:
        """Returns the columns but one, which becomes no feature."""

    def decide(self, dataset: Dataset, train: npt.NDArray[np.integer]) -> Dataset:
        """Returns the dataset with features that follow from the train rows, given by position."""


@dataclass(frozen=True)
class Dataset:
    """Raw data before any split and any preprocessing."""

    name: str
    # The features, n rows each: `numeric` is float64 with NaN for a missing cell; `category`, `text` and `date` are
    # object arrays of str with "" for a missing cell; `image` is uint8 of shape (n, height, width, channels)
    columns: Mapping[str, Array]
    kinds: Mapping[str, Kind]
    # The target columns, n rows each, as in the source (float64 or object of str, NaN or None for a missing cell).
    # There are several only for multilabel.
    target: Mapping[str, Array]
    row_ids: Array  # n identifiers to find a row in the source: its own id column, else the row number from 0
    source: str  # one sentence for the log that says what was loaded from where
    # How much each of the n rows counts, float64 above 0, in loss, metrics and baselines; None if all count the same
    weights: npt.NDArray[np.float64] | None = None
    # n booleans that mark an official test set, or None if there is none
    test_rows: npt.NDArray[np.bool_] | None = None
    task: str | None = None  # the task that this target needs, or None to infer it from the values
    target_range: tuple[float, float] | None = None  # the lowest and highest possible target, if known
    # Columns that are no features but can group rows, as in `columns`
    other_columns: Mapping[str, Array] = field(default_factory=dict)
    # How many words of a category the model tells apart at most; None for all of the train rows
    category_values: int | None = None
    # Sentences for the log on what the loader dropped, inferred or filled in
    notes: tuple[str, ...] = field(default=())
    source_names: Mapping[str, str] = field(default_factory=dict)  # the source's own names of renamed columns
    # The recipe of each column that the loader makes from columns of the source
    made: Mapping[str, Recipe] = field(default_factory=dict)
    # How the cells of columns and of targets were read, where the source is a table
    readings: Mapping[str, ColumnReading] = field(default_factory=dict)
    target_readings: Mapping[str, ColumnReading] = field(default_factory=dict)
    # What the columns, which follow from all rows here, become once the train rows are known; None if they stay
    undecided: Undecided | None = None
    separator: str | None = None  # the character between the fields of the source, if it is text

    def __post_init__(self) -> None:
        if set(self.columns) != set(self.kinds):
            raise DataError(
                f"Dataset {self.name}: columns {sorted(self.columns)} and kinds {sorted(self.kinds)} differ."
            )
        if not self.columns:
            raise DataError(f"Dataset {self.name}: no feature column is left beside the target.")
        for name, rows in {**lengths(self.columns), **lengths(self.other_columns), **lengths(self.target)}.items():
            if rows != len(self.row_ids):
                raise DataError(f"Dataset {self.name}: column '{name}' has {rows} rows, expected {len(self.row_ids)}.")

    def __len__(self) -> int:
        return len(self.row_ids)

    def take(self, rows: npt.NDArray[np.integer]) -> Dataset:
        """Selects rows by position, shape (m,), in this order; columns of a large selection are copied on access."""
        return replace(
            self,
            columns=take(self.columns, rows),
            target=take(self.target, rows),
            other_columns=take(self.other_columns, rows),
            row_ids=self.row_ids[rows],
            weights=None if self.weights is None else self.weights[rows],
            test_rows=None if self.test_rows is None else self.test_rows[rows],
            undecided=None if self.undecided is None else self.undecided.take(rows),
        )

    def without(self, column: str) -> Dataset:
        """Returns the dataset with a column of its source that is no feature, but by which rows can be grouped.

        Raises:
            DataError: If no feature is left.
        """
        names = {old: new for new, old in self.source_names.items()}
        name = names.get(column, column)
        undecided = None if self.undecided is None else self.undecided.without(column)
        if name not in self.columns:
            return replace(self, undecided=undecided)
        return replace(
            self,
            columns={each: self.columns[each] for each in self.columns if each != name},
            kinds={each: kind for each, kind in self.kinds.items() if each != name},
            other_columns={**self.other_columns, name: self.columns[name]},
            undecided=undecided,
        )

    def decided(self, train: npt.NDArray[np.integer]) -> Dataset:
        """Returns the dataset with features that follow from the train rows alone, given by position.

        Raises:
            DataError: If no feature is left, or a cell of any row does not fit the kind of its column.
        """
        return self if self.undecided is None else self.undecided.decide(self, train)

    def sha256(self) -> str:
        """Hashes names, kinds and all values; the same content gives the same hash from any source."""
        digest = hashlib.sha256()
        for name, values in [*sorted(self.columns.items()), *sorted(self.target.items())]:
            digest.update(f"{name}:{self.kinds.get(name, 'target')}:{values.shape}".encode())
            if values.dtype == object:
                for first in range(0, len(values), HASHED_AT_ONCE):
                    digest.update(b"\x1f" if first else b"")
                    digest.update("\x1f".join(map(str, values[first : first + HASHED_AT_ONCE])).encode())
            else:
                rows = max(1, len(values) * BYTES_AT_ONCE // max(1, values.nbytes))
                for first in range(0, len(values), rows):  # images may lie in a file
                    digest.update(np.ascontiguousarray(values[first : first + rows]).data)
                    release_pages()
        if self.weights is not None:
            digest.update(b"weights" + np.ascontiguousarray(self.weights).tobytes())
        return digest.hexdigest()
