"""What every source of data gives: raw columns, raw targets, and where they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from dltrain.base.errors import DataError
from dltrain.data.recipe import Recipe
from dltrain.data.row_view import lengths, take

Kind = Literal["numeric", "category", "text", "image"]
KINDS: tuple[str, ...] = get_args(Kind)

Array = npt.NDArray[np.generic]

HASHED_AT_ONCE = 100_000  # cells of words


@dataclass(frozen=True)
class Dataset:
    """Raw data, before any split and any preprocessing.

    Attributes:
        name: what outputs call it; made-up data says so here.
        columns: the features by name. Each has n rows: `numeric` float64 with NaN for a missing cell; `category`
            and `text` an object array of str with "" for a missing cell; `image` uint8 of shape
            (n, height, width, channels).
        kinds: the kind of each column, same keys as `columns`.
        target: the target columns by name, n rows each, as they stand in the source (float64, or object of str,
            with NaN or None for a missing cell); more than one only for multilabel.
        row_ids: n identifiers that a person can find in the source (its own id column, else the row number from 0).
        source: one sentence on what was loaded from where, for the log.
        test_rows: n booleans that mark an official test set, or None where there is none.
        task: the task that this target asks for, or None where it is to be inferred from the values.
        target_range: the least and the greatest value that the target can have, where that is known.
        other_columns: columns that are no features, by which rows can be grouped: object arrays of str, "" for a
            missing cell.
        notes: sentences for the log on what the loader dropped, inferred or filled in.
        source_names: what the source calls a column, for those that have another name here.
        made: for each column that the loader makes, how it does so from columns of the source.
    """

    name: str
    columns: Mapping[str, Array]
    kinds: Mapping[str, Kind]
    target: Mapping[str, Array]
    row_ids: Array
    source: str
    test_rows: npt.NDArray[np.bool_] | None = None
    task: str | None = None
    target_range: tuple[float, float] | None = None
    other_columns: Mapping[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())
    source_names: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, Recipe] = field(default_factory=dict)

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
        """The same dataset with these rows alone, in this order; of very many, each column is copied when it is used.

        Args:
            rows: positions, shape (m,).
        """
        return replace(
            self,
            columns=take(self.columns, rows),
            target=take(self.target, rows),
            other_columns=take(self.other_columns, rows),
            row_ids=self.row_ids[rows],
            test_rows=None if self.test_rows is None else self.test_rows[rows],
        )

    def sha256(self) -> str:
        """Hash of names, kinds and all values, the same for the same content from whichever source."""
        digest = hashlib.sha256()
        for name, values in [*sorted(self.columns.items()), *sorted(self.target.items())]:
            digest.update(f"{name}:{self.kinds.get(name, 'target')}:{values.shape}".encode())
            if values.dtype == object:
                for first in range(0, len(values), HASHED_AT_ONCE):
                    digest.update(b"\x1f" if first else b"")
                    digest.update("\x1f".join(map(str, values[first : first + HASHED_AT_ONCE])).encode())
            else:
                digest.update(np.ascontiguousarray(values).data)
        return digest.hexdigest()
