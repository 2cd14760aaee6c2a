"""Loads the passengers of the Titanic and their survival: OpenML's 1,309, or Kaggle's file of 891."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import fetch_openml

from dltrain.base.errors import DataError, did_you_mean
from dltrain.config.tasks import BINARY
from dltrain.data.column_values import feature_values, numeric_values, word_values
from dltrain.data.dataset import Array, Dataset, Kind
from dltrain.data.pattern_words import match
from dltrain.data.raw_table import RawTable, check_names, from_frame
from dltrain.data.read_table import read_table
from dltrain.data.recipe import Recipe
from dltrain.data.source_file import find_file
from dltrain.data.table import row_ids
from dltrain.data.target_cells import read_target

EMBEDDED = Path("datasets", "tests", "data", "openml", "id_40945")
PASSENGERS = 1309
FEATURES: Mapping[str, Kind] = {
    "pclass": "category",
    "sex": "category",
    "age": "numeric",
    "sibsp": "numeric",
    "parch": "numeric",
    "fare": "numeric",
    "embarked": "category",
}
NOT_FEATURES = {
    "boat": "the lifeboat is known of those who were saved: it gives the answer away",
    "body": "the body's number is known of those who died: it gives the answer away",
    "name": "names one passenger",
    "ticket": "names one ticket",
    "cabin": "missing for most, and names one cabin",
    "home.dest": "missing for many, and nearly all values differ",
    "passengerid": "names the row",
}
SAME_TITLE = {"mlle": "Miss", "ms": "Miss", "mme": "Mrs"}
TITLES = {"mr": "Mr", "mrs": "Mrs", "miss": "Miss", "master": "Master", **SAME_TITLE}
ENGINEERED: Mapping[str, Recipe] = {
    "title": Recipe(("name",), pattern=r",\s*(?:the\s+)?([^.,]*[^.,\s])\s*\.", words=TITLES, other="rare"),
    "family_size": Recipe(("sibsp", "parch"), plus=1.0),  # includes the passenger
    "deck": Recipe(("cabin",), pattern=r"^\s*(\S)"),
}


def load(*, name: str, path: str | None, target: str, engineered: bool) -> Dataset:
    """Loads one row for each passenger; the target is 1.0 for a survivor and 0.0 for the others.

    `path` is a CSV with Kaggle's or OpenML's columns, or None for OpenML's version 1. `target` is `survived` or one of
    the features. `engineered` adds title (from the name), family_size (with the passenger) and deck (from the cabin).
    """
    table, source = _openml() if path is None else _own_file(path)
    wanted = target.lower()
    choices = ["survived", *FEATURES]
    if wanted not in choices:
        raise DataError(f"dataset.target={target} is not a target of the Titanic.{did_you_mean(wanted, choices)}")
    _check_complete(table, engineered)
    kinds = {column: kind for column, kind in FEATURES.items() if column != wanted}
    columns = {column: feature_values(table, column, kind) for column, kind in kinds.items()}
    if engineered:
        kinds |= {column: "category" if recipe.pattern else "numeric" for column, recipe in ENGINEERED.items()}
        columns |= {column: _make(recipe, table) for column, recipe in ENGINEERED.items()}
    return Dataset(
        name=name,
        columns=columns,
        kinds=kinds,
        target={wanted: read_target(table, wanted, FEATURES.get(wanted, "numeric")).values},
        row_ids=row_ids(table, "passengerid" if "passengerid" in table.columns else None),
        source=source,
        task=BINARY.name if wanted == "survived" else None,
        notes=(*table.notes, *_notes(table, kinds, wanted)),
        made=ENGINEERED if engineered else {},
        other_columns={
            column: feature_values(table, column, "category") for column in NOT_FEATURES if column in table.columns
        },
    )


def _openml() -> tuple[RawTable, str]:
    # scikit-learn ships the whole table with its tests, so that no network is needed.
    embedded = sorted((Path(sklearn.__file__).parent / EMBEDDED).glob("*.arff.gz"))
    if embedded:
        table = read_table(str(embedded[0]))
        if len(table) == PASSENGERS:
            return (table, f"{PASSENGERS:,} passengers of OpenML 'titanic' version 1 (scikit-learn's embedded copy)")
    try:
        frame = fetch_openml("titanic", version=1, as_frame=True, parser="pandas").frame
    except Exception as error:  # network, service and cache fail in many ways, all with one remedy
        raise DataError(
            f"OpenML's 'titanic' cannot be downloaded ({type(error).__name__}: {error}). Connect to the "
            "network, or give a copy: dataset.path=train.csv."
        ) from None
    table = from_frame(frame, origin="OpenML titanic")
    return table, f"{len(table):,} passengers of OpenML 'titanic' version 1 (downloaded)"


def _own_file(path: str) -> tuple[RawTable, str]:
    read = read_table(path)
    names = [column.lower() for column in read.columns]
    check_names(names, origin=read.origin)
    columns = dict(zip(names, read.columns.values(), strict=True))
    declared = {column.lower(): declaration for column, declaration in read.declared.items()}
    table = replace(read, columns=columns, declared=declared)
    return table, f"{len(table):,} passengers of {find_file(path)}"


def _check_complete(table: RawTable, engineered: bool) -> None:
    needed = ["survived", *FEATURES, *(["name", "cabin"] if engineered else [])]
    absent = [column for column in needed if column not in table.columns]
    if absent == ["survived"]:
        raise DataError(
            f"{table.origin} has no column 'Survived': it looks like Kaggle's test.csv, whose answers are "
            "not published; train on train.csv."
        )
    if absent:
        raise DataError(
            f"{table.origin} is not a table of Titanic passengers: it has no column {', '.join(absent)}. "
            "Expected Kaggle's or OpenML's columns; for another table use dataset=csv."
        )


def _make(recipe: Recipe, table: RawTable) -> Array:
    values = word_values if recipe.pattern else numeric_values
    cells = recipe.make([values(table, column).tolist() for column in recipe.columns], match)
    return np.array(cells, dtype=object if recipe.pattern else np.float64)


def _notes(table: RawTable, kinds: Mapping[str, Kind], target: str) -> list[str]:
    notes = [
        f"not a feature: {column} ({reason})." for column, reason in NOT_FEATURES.items() if column in table.columns
    ]
    other = [c for c in table.columns if c not in {*kinds, *NOT_FEATURES, target}]
    if other:
        notes.append(f"not a feature: {', '.join(other)} (not known of these passengers).")
    if "title" in kinds:
        notes.append("made: title from name, family_size = sibsp + parch + 1, deck from cabin.")
    return notes
