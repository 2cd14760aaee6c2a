"""Makes the folds of a cross-validation: the rows that each one scores, trains on and validates on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from omegaconf import DictConfig
from sklearn import model_selection

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.config.seed import Seed
from dltrain.data.dataset import Array, Dataset
from dltrain.data.split import Rows, Split, SplitConstraints, cut


@dataclass(frozen=True)
class Fold:
    """One training of a cross-validation."""

    number: int  # the number of the fold, from 1 through all repeats
    repeat: int  # the number of the repeat, from 1
    seed: Seed  # the seed for weights and shuffling, derived from the run's seed and the number
    split: Split  # the rows; `test` is scored, `validation` is cut from the others


def make_folds(
    cv: DictConfig, constraints: SplitConstraints, rows: Rows, *, validation: float, seed: Seed
) -> list[Fold]:
    """Makes folds that score each row once in each repeat.

    `rows` are the positions outside the test part; `validation` is the share of a fold's other rows that validate.

    Raises:
        ConfigError: If there are fewer rows or groups than folds.
        DataError: If a fold has too few rows to train and validate on.
    """
    splitter = _splitter(cv, constraints, rows, seed.stream("folds"))
    classes = None if constraints.classes is None else constraints.classes[rows]
    groups = None if constraints.groups is None else constraints.groups[rows]
    with warnings.catch_warnings():
        # A class may have fewer rows than there are folds as long as each fold trains on some.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        cuts = list(splitter.split(rows, np.zeros(len(rows)) if classes is None else classes, groups))
    folds = []
    for number, (others, scored) in enumerate(cuts, 1):
        own = seed.fold(number)
        count = max(1, round(len(others) * validation))
        drawn = own.stream("validation")
        train, validated = cut(rows[others], len(others) - count, constraints, constraints.classes, drawn)
        split = Split(np.sort(train), np.sort(validated), np.sort(rows[scored]))
        folds.append(Fold(number, 1 + (number - 1) // int(cv.get("folds") or len(cuts)), own, split))
    return folds


def group_numbers(dataset: Dataset, column: str, folds: int) -> Rows:
    """Numbers the group of each row, shape (rows,); features and other columns can both be groups.

    Raises:
        ConfigError: If there is no such column, or it has too few groups for the folds.
        DataError: If a row has no group.
    """
    columns: dict[str, Array] = {**dataset.other_columns, **dataset.columns}
    if column not in columns and dataset.undecided is not None:
        columns |= dataset.undecided.ignored(dataset, column)
    if column not in columns:
        raise ConfigError(f"cv.group: {dataset.name} has no column '{column}'.{did_you_mean(column, columns)}")
    cells = columns[column]
    if cells.ndim > 1:
        raise ConfigError(f"cv.group: column '{column}' holds images; expected a column of groups.")
    missing = cells == "" if cells.dtype == object else np.isnan(cells.astype(np.float64))
    if missing.any():
        row = dataset.row_ids[np.flatnonzero(missing)[0]]
        raise DataError(f"cv.group: column '{column}' is empty in row {row}; expected the group of each row.")
    values: Any = cells.astype(str) if cells.dtype == object else cells
    groups, numbers = np.unique(values, return_inverse=True)
    if len(groups) <= folds:
        raise ConfigError(
            f"cv.folds: {folds} folds and a test part need more than {folds} groups, and column '{column}' has "
            f"{len(groups)}. Choose fewer folds or another cv.group."
        )
    return numbers


def _splitter(cv: DictConfig, constraints: SplitConstraints, rows: Rows, seed: int) -> Any:
    """Returns scikit-learn's splitter, a stratified one if the target has classes."""
    if cv.name == "leave_one_out":
        return model_selection.LeaveOneOut()
    stratified = constraints.classes is not None
    if constraints.groups is not None:
        groups = len(np.unique(constraints.groups[rows]))
        if groups < cv.folds:
            raise ConfigError(
                f"cv.folds: {cv.folds} folds need at least {cv.folds} groups, and column '{cv.group}' has {groups} "
                "outside the test part."
            )
        kind = model_selection.StratifiedGroupKFold if stratified else model_selection.GroupKFold
        return kind(cv.folds, shuffle=True, random_state=seed)
    if len(rows) < cv.folds:
        raise ConfigError(
            f"cv.folds: {cv.folds} folds need at least {cv.folds} rows outside the test part, got {len(rows)}."
        )
    if constraints.classes is not None and np.bincount(constraints.classes[rows]).max() < cv.folds:
        raise ConfigError(
            f"cv.folds: {cv.folds} folds are more than the rows of any class outside the test part "
            f"({np.bincount(constraints.classes[rows]).max()} at most). Choose fewer folds."
        )
    if cv.name == "repeated_kfold":
        repeated = model_selection.RepeatedStratifiedKFold if stratified else model_selection.RepeatedKFold
        return repeated(n_splits=cv.folds, n_repeats=cv.repeats, random_state=seed)
    plain = model_selection.StratifiedKFold if stratified else model_selection.KFold
    return plain(cv.folds, shuffle=True, random_state=seed)
