"""Makes the features of a table: the train rows decide the kind of each column, and all rows are converted to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import numpy.typing as npt

from dltrain.base.errors import DataError
from dltrain.data.dataset import Array, Dataset, Kind
from dltrain.data.kinds import feature_values, infer_kind, spelling_of
from dltrain.data.raw_table import RawTable
from dltrain.data.row_view import take

Rows = npt.NDArray[np.integer]


@dataclass(frozen=True)
class TableFeatures:
    """The columns of a table that may be features, before it is decided which are, and of which kind."""

    table: RawTable
    names: Mapping[str, str]  # the name of the model's input for each column that may be a feature
    wanted: Mapping[str, str]  # the kinds that the user chose
    keeps_many: bool  # whether a column of many different words is a category
    rows: Rows | None = None  # the positions of a dataset's rows in the table; None for all rows
    # Columns that were converted before, for the whole table: folds mostly decide alike
    converted: dict[tuple[str, ...], Array] = field(default_factory=dict, repr=False, compare=False)

    def take(self, rows: Rows) -> TableFeatures:
        """Selects rows by their positions in the dataset."""
        return replace(self, rows=rows if self.rows is None else self.rows[rows])

    def decide(self, dataset: Dataset, train: Rows) -> Dataset:
        """Returns the dataset of these rows with features that follow from the train rows.

        Images stay as they are, since rows without a readable one are dropped before the split.

        Raises:
            DataError: If no feature is left, or a cell of any row does not fit the kind of its column.
        """
        images = {name: dataset.columns[name] for name, kind in dataset.kinds.items() if kind == "image"}
        columns, kinds, notes = self.make(train if self.rows is None else self.rows[train], images)
        return replace(dataset, columns=columns, kinds=kinds, notes=(*dataset.notes, *notes), undecided=None)

    def make(
        self, rows: Rows | None = None, images: Mapping[str, Array] | None = None
    ) -> tuple[Mapping[str, Array], dict[str, Kind], list[str]]:
        """Returns the features by name, their kinds, and sentences for the log.

        They follow from the cells in `rows`, positions in the table, or in all rows if that is None. `images` are the
        columns of images that were read before.
        """
        chosen: dict[str, Kind] = {}
        ignored: list[str] = []
        columns: dict[str, Array] = {}
        for column, name in self.names.items():
            kind, reason = ("image", "") if images and name in images else self._kind(column, rows)
            if kind == "ignore":
                ignored.append(f"{column} ({reason})")
                continue
            chosen[column] = cast("Kind", kind)
            if kind != "image" or images is None:
                columns[name] = self._converted(column, kind, rows)
        notes = _notes(chosen, ignored)
        if not chosen:
            raise DataError(f"{self.table.origin}: no feature is left beside the target. {' '.join(notes)}")
        kinds = {self.names[column]: kind for column, kind in chosen.items()}
        selected = columns if self.rows is None or not columns else take(columns, self.rows)
        if images:
            selected = {name: images[name] if name in images else selected[name] for name in kinds}
        return selected, kinds, notes

    def _kind(self, column: str, rows: Rows | None) -> tuple[str, str]:
        if column in self.wanted:
            return self.wanted[column], "as asked"
        kind, reason = infer_kind(self.table, column, rows, keeps_many=self.keeps_many)
        if kind == "image" and rows is not None:
            raise DataError(
                f"Column '{column}' names image files in the train rows, and something else in another row. Name its "
                f"kind: '+dataset.kinds={{{column}: image}}' (or category, or ignore)."
            )
        return kind, reason

    def _converted(self, column: str, kind: str, rows: Rows | None) -> Array:
        spelling = "" if kind == "numeric" else spelling_of(self.table, column, rows)
        key = (column, "numeric" if kind == "numeric" else "words", spelling)
        if key not in self.converted:
            self.converted[key] = feature_values(self.table, column, kind, spelling)
        return self.converted[key]


def _notes(chosen: Mapping[str, Kind], ignored: Sequence[str]) -> list[str]:
    notes = [
        f"{kind}: {', '.join(column for column, other in chosen.items() if other == kind)}."
        for kind in dict.fromkeys(chosen.values())
    ]
    if ignored:
        notes.append(
            f"ignored: {', '.join(ignored)}; +dataset.kinds.<column>=category (or numeric, text, image) overrides."
        )
    return notes
