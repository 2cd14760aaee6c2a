"""Describes what a run's model takes and predicts: written at the end of a run, read by whatever uses the model."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dltrain.base.errors import ConfigError
from dltrain.config.tasks import TASKS, Task
from dltrain.data.answers import THRESHOLD
from dltrain.data.column_reading import ColumnReading
from dltrain.data.dataset import Dataset
from dltrain.data.recipe import Recipe
from dltrain.data.target_scaling import Knots
from dltrain.preprocessing.statistics import median
from dltrain.record.record import Record

FILE = "signature.json"
READING = ("separator", "encoding", "header", "quoting", "missing_values", "id_column", "corrupt")


@dataclass(frozen=True)
class Column:
    """One column that the model takes."""

    name: str  # the name of the model's input
    kind: str  # numeric, category, text, image or date
    source: str  # the column's name in the file of the training data
    shape: tuple[int, ...] = ()  # the shape of one cell: (height, width, channels) for images, otherwise ()
    dtype: str = "string"  # the type of the model's input: float64, string or uint8
    words: tuple[str, ...] = ()  # the values of a category that the model knows
    minimum: float | None = None  # the least number of the train part; None for other kinds, as are maximum and median
    maximum: float | None = None
    median: float | None = None
    reading: ColumnReading | None = None  # how its cells are read; None for runs of versions that knew one way alone
    has_missing: bool = False  # whether the column is missing in some row of the train part

    @property
    def plain(self) -> bool:
        """Whether its numbers are written as a program writes them."""
        return self.reading is None or self.reading.numbers.plain


@dataclass(frozen=True)
class Signature:
    """What the model of a run takes and predicts."""

    columns: tuple[Column, ...]  # in the order of the dataset
    target: tuple[str, ...]  # the target columns by their names in the source
    task: str
    classes: tuple[str, ...] = ()  # the names of the classes or labels; empty for a quantity
    # The probability above which a binary task predicts its second class, and a multilabel one the label
    threshold: float = THRESHOLD
    # The entry of `data.conformal.Conformal`, which gives predictions their intervals or sets; None without
    conformal: Mapping[str, Any] | None = None
    quantiles: tuple[float, ...] = ()  # those that are predicted, the median first
    offset: float = 0.0
    scale: float = 1.0
    knots: Knots = ()  # those of a bent quantity, see data/target_scaling.py
    # For each column that the dataset makes, how it does so from columns of the source
    made: Mapping[str, Recipe] = field(default_factory=dict)
    target_readings: Mapping[str, ColumnReading] = field(default_factory=dict)  # those of the target columns
    # The keys of `dataset` that say how a text file of such rows is read
    reading: Mapping[str, Any] = field(default_factory=dict)
    weight: str | None = None  # the column of the source that weighs the rows of an evaluation
    separator: str | None = None  # the character between the fields of the training file, if it was text

    @property
    def kind(self) -> Task:
        """The traits of the task."""
        return TASKS[self.task]

    @classmethod
    def of(cls, record: Record) -> Signature:
        """Reads the signature in a run directory.

        Raises:
            ConfigError: If the run has none, or it cannot be read.
        """
        if not (record.path / FILE).exists():
            status = record.facts.get("status", "unknown")
            raise ConfigError(
                f"'{record.path}' has no {FILE}, so its model cannot be used (status of the run: {status}). "
                "Expected a completed run."
            )
        content = record.json(FILE)
        try:
            columns = tuple(
                Column(
                    **{**column, "shape": tuple(column["shape"]), "words": tuple(column["words"])}
                    | {"reading": ColumnReading.of_json(column["reading"]) if column.get("reading") else None}
                )
                for column in content.pop("columns")
            )
            content["target_readings"] = {
                name: ColumnReading.of_json(reading) for name, reading in content.get("target_readings", {}).items()
            }
            for key in ("target", "classes", "quantiles"):
                content[key] = tuple(content.get(key, ()))
            content["knots"] = tuple((value, scaled) for value, scaled in content.get("knots", ()))
            content["made"] = {
                name: Recipe(**{**recipe, "columns": tuple(recipe["columns"])})
                for name, recipe in content["made"].items()
            }
            return cls(columns=columns, **content)
        except (AttributeError, KeyError, TypeError) as error:
            raise ConfigError(f"'{record.path / FILE}' is not a signature of this version: {error}.") from error

    def as_json(self) -> dict[str, Any]:
        """Returns the content of signature.json."""
        return dataclasses.asdict(self)

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns of the source that a row must have, in order and each once."""
        names = [
            self.made[column.name].columns if column.name in self.made else (column.source,) for column in self.columns
        ]
        return tuple(dict.fromkeys(name for each in names for name in each))

    @functools.cached_property
    def by_source(self) -> dict[str, Column]:
        """The columns that the source has, by their names there."""
        return {column.source: column for column in self.columns if column.name not in self.made}


def describe(
    train: Dataset,
    *,
    task: str,
    classes: tuple[str, ...],
    offset: float,
    scale: float,
    known_words: Mapping[str, tuple[str, ...]],
    source: Mapping[str, Any],
    threshold: float = THRESHOLD,
    conformal: Mapping[str, Any] | None = None,
    quantiles: tuple[float, ...] = (),
    knots: Knots = (),
) -> Signature:
    """Returns the signature of a model that is trained on the rows of `train`.

    `known_words` holds, for each category column, the words that the model knows; `source` is the node `dataset`.
    """
    columns = []
    for name, cells in train.columns.items():
        kind = train.kinds[name]
        facts: dict[str, Any] = {}
        if kind == "numeric":
            numbers = cells[~np.isnan(cells.astype(np.float64))].astype(np.float64)
            facts = {"dtype": "float64", "has_missing": len(numbers) < len(cells)}
            if len(numbers):
                facts |= {"minimum": float(numbers.min()), "maximum": float(numbers.max())}
                facts["median"] = median(numbers)
        elif kind == "image":
            facts = {"dtype": "uint8", "shape": tuple(cells.shape[1:])}
        else:
            facts = {"has_missing": bool((cells == "").any()), "words": known_words.get(name, ())}
        facts["reading"] = train.readings.get(name)
        columns.append(Column(name, kind, train.source_names.get(name, name), **facts))
    return Signature(
        columns=tuple(columns),
        target=tuple(train.target),
        task=task,
        classes=classes,
        threshold=threshold,
        conformal=conformal,
        quantiles=quantiles,
        offset=offset,
        scale=scale,
        knots=knots,
        target_readings=dict(train.target_readings),
        made=dict(train.made),
        reading={key: _plain(source[key]) for key in READING if source.get(key) is not None},
        weight=source.get("weight"),
        separator=train.separator,
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, bool)) else [str(item) for item in value]
