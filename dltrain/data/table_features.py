"""Makes the features of a table: the train rows decide the kind of each column, and all rows are converted to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from dltrain.base.errors import DataError
from dltrain.config.written import entry
from dltrain.data.column_reading import ColumnReading
from dltrain.data.column_values import feature_values
from dltrain.data.dataset import Array, Dataset, Kind
from dltrain.data.kinds import IDENTIFIER, ColumnRules, Meaning, infer_meaning, read_as
from dltrain.data.raw_table import RawTable
from dltrain.data.row_view import take

Rows = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Features:
    """The features of some rows, by the names of the model's inputs."""

    columns: Mapping[str, Array]
    kinds: Mapping[str, Kind]
    readings: Mapping[str, ColumnReading]  # of all columns but images
    notes: Sequence[str]  # sentences for the log
    identifiers: Sequence[str] = ()  # columns of the table that are none because their names say that they are ids


@dataclass(frozen=True)
class TableFeatures:
    """The columns of a table that may be features, before it is decided which are, and of which kind."""

    table: RawTable
    names: Mapping[str, str]  # the name of the model's input for each column that may be a feature
    wanted: Mapping[str, str]  # the kinds that the user chose
    rules: ColumnRules
    rows: Rows | None = None  # the positions of a dataset's rows in the table; None for all rows
    # Columns that were converted before, for the whole table: folds mostly decide alike
    converted: dict[tuple[str, str, ColumnReading], Array] = field(default_factory=dict, repr=False, compare=False)

    def take(self, rows: Rows) -> TableFeatures:
        """Selects rows by their positions in the dataset."""
        return replace(self, rows=rows if self.rows is None else self.rows[rows])

    @property
    def source_columns(self) -> Iterable[str]:
        """The names of all columns of the table."""
        return self.table.columns

    @property
    def day_first(self) -> bool | None:
        """Whether the day comes before the month in dates that leave it open."""
        return self.rules.day_first

    def source_column(self, dataset: Dataset, column: str) -> Array | None:
        """Returns a column of the table that is no target, as words with "" for a missing cell, if there is one."""
        if column not in self.table.columns or column in dataset.target:
            return None
        words = feature_values(self.table, column, "category")
        return words if self.rows is None else words[self.rows]

    def without(self, column: str) -> TableFeatures:
        """Returns the columns but one, which becomes no feature."""
        return replace(self, names={each: name for each, name in self.names.items() if each != column})

    def decide(self, dataset: Dataset, train: Rows) -> Dataset:
        """Returns the dataset of these rows with features that follow from the train rows.

        Images stay as they are, since rows without a readable one are dropped before the split.

        Raises:
            DataError: If no feature is left, or a cell of any row does not fit the kind of its column.
        """
        images = {name: dataset.columns[name] for name, kind in dataset.kinds.items() if kind == "image"}
        made = self.make(train if self.rows is None else self.rows[train], images)
        notes = (*dataset.notes, *made.notes)
        # Ids that repeat are kept, since rows of one of them belong together.
        ids = {
            column: self.source_column(dataset, column)
            for column in made.identifiers
            if pc.count_distinct(self.table.columns[column]).as_py() < len(self.table)
        }
        others = {**dataset.other_columns, **{column: cells for column, cells in ids.items() if cells is not None}}
        return replace(
            dataset,
            columns=made.columns,
            kinds=made.kinds,
            readings=made.readings,
            notes=notes,
            other_columns=others,
            undecided=None,
        )

    def make(self, rows: Rows | None = None, images: Mapping[str, Array] | None = None) -> Features:
        """Makes the features that follow from the cells in `rows`, positions in the table, or in all rows for None.

        `images` are the columns of images that were read before.
        """
        meanings = {
            column: Meaning("image") if images and name in images else self._meaning(column, rows)
            for column, name in self.names.items()
        }
        notes = _notes(meanings)
        chosen = {column: each for column, each in meanings.items() if each.kind != "ignore"}
        if not chosen:
            raise DataError(f"{self.table.origin}: no feature is left beside the target. {' '.join(notes)}")
        kinds = {self.names[column]: cast("Kind", each.kind) for column, each in chosen.items()}
        columns: Mapping[str, Array] = {
            self.names[column]: self._converted(column, each)
            for column, each in chosen.items()
            if not images or self.names[column] not in images
        }
        if self.rows is not None and columns:
            columns = take(columns, self.rows)
        if images:
            columns = {name: images[name] if name in images else columns[name] for name in kinds}
        readings = {self.names[column]: each.reading for column, each in chosen.items() if each.kind != "image"}
        return Features(
            columns, kinds, readings, notes, [column for column, each in meanings.items() if each.reason == IDENTIFIER]
        )

    def _meaning(self, column: str, rows: Rows | None) -> Meaning:
        if column in self.wanted:
            kind = self.wanted[column]
            return Meaning(kind, "as asked", *read_as(self.table, column, kind, rows, self.rules))
        found = infer_meaning(self.table, column, rows, self.rules)
        if found.kind == "image" and rows is not None:
            raise DataError(
                f"Column '{column}' names image files in the train rows, and something else in another row. Name its "
                f"kind: {entry('dataset.kinds', column, 'image')} (or category, or ignore)."
            )
        return found

    def _converted(self, column: str, meaning: Meaning) -> Array:
        key = (column, meaning.kind if meaning.kind in {"numeric", "date", "text"} else "words", meaning.reading)
        if key not in self.converted:
            self.converted[key] = feature_values(self.table, column, meaning.kind, meaning.reading)
        return self.converted[key]


def _notes(meanings: Mapping[str, Meaning]) -> list[str]:
    kinds = dict.fromkeys(each.kind for each in meanings.values() if each.kind != "ignore")
    notes = [
        f"{kind}: {', '.join(column for column, each in meanings.items() if each.kind == kind)}." for kind in kinds
    ]
    notes += [each.note for each in meanings.values() if each.note]
    if ignored := {column: each.reason for column, each in meanings.items() if each.kind == "ignore"}:
        told = ", ".join(f"{column} ({reason})" for column, reason in ignored.items())
        keeps = entry("dataset.kinds", next(iter(ignored)), "category")
        notes.append(f"ignored: {told}; {keeps} (or numeric, text, image, date) keeps it.")
    return notes
