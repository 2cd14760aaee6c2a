"""Loads a user's table: target, identifiers, and features by kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.data.choose_format import Given
from dltrain.data.column_values import feature_values, numeric_values, word_values
from dltrain.data.dataset import Array, Dataset
from dltrain.data.image_file import Options, image_content, read_images
from dltrain.data.kinds import CHOICES, ColumnRules, read_as
from dltrain.data.raw_table import RawTable, all_numbers
from dltrain.data.read_table import read_table
from dltrain.data.source_file import find_file, stem
from dltrain.data.table_features import TableFeatures
from dltrain.data.target_cells import read_target

# No leading zeros, which a number would lose, and few enough digits for 64 bits.
ROW_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


def load(
    *,
    name: str,
    path: str,
    target: str | Sequence[str],
    kinds: Mapping[str, str],
    id_column: str | None,
    separator: str | None,
    encoding: str | None,
    header: bool,
    missing_values: Sequence[str | float],
    category_values: int | None = None,
    weight: str | None = None,
    day_first: bool | None = None,
    size: int | Literal["auto"] | Sequence[int] | None,
    channels: int | None,
    corrupt: str,
    column_rules: Literal[1, 2] = 1,
    quoting: str | None = None,
    decimal: str | Mapping[str, str] | None = None,
    thousands: str | Mapping[str, str] | None = None,
) -> Dataset:
    """Loads a file: one column or several are the target, the others features by kind (see conf/dataset/csv.yaml).

    Configs of earlier versions do without `column_rules`, and their kinds follow from all rows.
    """
    # Names have Unicode's composed form, as the reader gives them.
    targets = [normalize("NFC", str(column)) for column in ([target] if isinstance(target, str) else target)]
    wanted = {normalize("NFC", str(column)): str(kind) for column, kind in kinds.items()}
    id_column, weight = (None if name is None else normalize("NFC", name) for name in (id_column, weight))
    given = Given(decimal, thousands)
    _check_kinds(wanted, targets, {"id_column": id_column, "weight": weight}, given)
    rules = ColumnRules(column_rules, given, keeps_many=category_values is not None, day_first=day_first)
    options = Options.of(size, channels, corrupt)
    as_written = {column for column, kind in wanted.items() if kind in {"category", "text", "image", "date"}}
    as_written |= {id_column} if id_column is not None else set()
    classes = targets if column_rules == 2 else []
    table = read_table(
        path,
        separator=separator,
        encoding=encoding,
        header=header,
        missing_values=[str(word) for word in missing_values],
        words=lambda column: column in as_written or column in classes or any(given.of(column)),
        classes=classes,
        quoting=quoting,
    )
    _check_columns(table, "target", targets)
    _check_columns(table, "kinds", wanted)
    for key, single in (("id_column", id_column), ("weight", weight)):
        _check_columns(table, key, [] if single is None else [single])
    for key, marks in (("decimal", decimal), ("thousands", thousands)):
        _check_columns(table, key, _named(marks))

    others = [column for column in table.columns if column not in (*targets, id_column, weight)]
    names = input_names(others, taken=table.columns)
    answers = {column: read_target(table, column, wanted.get(column), rules) for column in targets}
    features = TableFeatures(table, names, wanted, rules)
    made = features.make()
    source_names = {new: old for old, new in names.items() if old != new}
    renamed = [f"renamed: {old} to {new} (no '/' in an input's name)." for new, old in source_names.items()]
    weights = None if weight is None else row_weights(table, weight, rules)
    weighted = [] if weights is None else [f"weight: {weight}, from {weights.min():g} to {weights.max():g}."]
    found = find_file(path)
    dataset = Dataset(
        name=stem(found) if name == "csv" else name,
        columns=made.columns,
        kinds=made.kinds,
        target={column: answer.values for column, answer in answers.items()},
        row_ids=row_ids(table, id_column),
        category_values=category_values,
        weights=weights,
        source=f"{len(table):,} rows and {len(table.columns)} columns of {found}",
        notes=(
            *table.notes,
            *renamed,
            *weighted,
            *(answer.note for answer in answers.values() if answer.note),
            *(made.notes if column_rules == 1 else []),
        ),
        source_names=source_names,
        other_columns={
            column: feature_values(table, column, "category") for column, kind in wanted.items() if kind == "ignore"
        },
        readings=made.readings,
        target_readings={column: answer.reading for column, answer in answers.items()},
        undecided=None if column_rules == 1 else features,
        separator=table.separator,
    )
    for column in [column for column, kind in dataset.kinds.items() if kind == "image"]:
        dataset = _with_images(dataset, column, found.parent, options)
    return dataset


def _with_images(dataset: Dataset, column: str, folder: Path, options: Options) -> Dataset:
    """Keeps the rows whose image can be read, and replaces its path by its pixels."""
    files = ((str(cell), image_content(folder, str(cell))) for cell in dataset.columns[column])
    images = read_images(files, options, origin=f"column '{column}'")
    kept = dataset.take(np.flatnonzero(images.readable))
    return replace(kept, columns={**kept.columns, column: images.pixels}, notes=(*kept.notes, *images.notes))


def row_ids(table: RawTable, column: str | None) -> Array:
    """Returns the identifier of each row, shape (n,): int64 if all are whole numbers, else words.

    `column` is None for the rows' numbers from 0.

    Raises:
        DataError: If a row has no identifier or two rows have the same.
    """
    if column is None:
        return np.arange(len(table))
    words = word_values(table, column)
    absent = np.flatnonzero(pd.isna(words))
    if absent.size:
        raise DataError(f"Column '{column}' cannot name the rows: {table.where(absent[0])} has no value there.")
    repeated = np.flatnonzero(pd.Series(words).duplicated())
    if repeated.size:
        word = words[repeated[0]]
        first = int(np.flatnonzero(words == word)[0])
        raise DataError(
            f"Column '{column}' cannot name the rows: '{word}' stands in {table.where(first)} and in "
            f"{table.where(repeated[0])}; expected a value of its own in each row."
        )
    if all(ROW_NUMBER.fullmatch(word) for word in words):
        return words.astype(np.int64)
    return words


def row_weights(table: RawTable, column: str, rules: ColumnRules) -> npt.NDArray[np.float64]:
    """Returns how much each row counts, shape (n,).

    Raises:
        DataError: If a cell holds no number above 0.
    """
    weights = numeric_values(table, column, read_as(table, column, "numeric", None, rules)[0])
    bad = np.flatnonzero(~(weights > 0))
    if bad.size:
        came = "no value" if np.isnan(weights[bad[0]]) else f"{weights[bad[0]]:g}"
        raise DataError(
            f"Column '{column}' cannot weigh the rows: expected numbers above 0, {table.where(bad[0])} has {came}. "
            "Leave out rows that are not to count."
        )
    return weights


def input_names(columns: Iterable[str], *, taken: Collection[str] = ()) -> dict[str, str]:
    """Returns a valid name of a Keras input for each column: without a slash, unique, and not in `taken`."""
    names: dict[str, str] = {}
    used = {*columns, *taken}
    for column in columns:
        new = column.replace("/", "_")
        while new != column and new in used:
            new += "_"
        used.add(new)
        names[column] = new
    return names


def _named(marks: str | Mapping[str, str] | None) -> list[str]:
    return [normalize("NFC", name) for name in marks] if isinstance(marks, Mapping) else []


def _check_kinds(
    wanted: Mapping[str, str], targets: Sequence[str], others: Mapping[str, str | None], given: Given
) -> None:
    faults = [
        f"dataset.kinds.{column}={kind} is not a kind.{did_you_mean(kind, CHOICES)}"
        for column, kind in wanted.items()
        if kind not in CHOICES
    ]
    faults += [
        f"dataset.kinds.{column}={wanted[column]}: '{column}' is the target, numeric or category."
        for column in targets
        if wanted.get(column) in {"text", "image", "date", "ignore"}
    ]
    faults += given.faults()
    if not targets:
        faults.append("dataset.target is an empty list; name one column, or several for multilabel.")
    faults += [f"dataset.target names '{column}' twice." for column in targets if targets.count(column) > 1][:1]
    for key, column in others.items():
        if column in targets:
            faults.append(f"dataset.{key}={column} is the target as well; it can be one of them.")
        if column in wanted:
            faults.append(f"dataset.kinds.{column} has no effect: '{column}' is dataset.{key}, no feature.")
    if faults:
        raise ConfigError(faults)


def _check_columns(table: RawTable, key: str, columns: Iterable[str]) -> None:
    for column in columns:
        if column not in table.columns:
            hint = did_you_mean(column, table.columns)
            if table.lines is not None and all_numbers(list(table.columns)):
                hint = " Its first line holds numbers alone; if it is not a header: dataset.header=false."
            if len(table.columns) == 1 and table.lines is not None:
                hint += " It has this one column alone: see dataset.separator."
            raise DataError(f"dataset.{key}: {table.origin} has no column '{column}'.{hint}")
