"""Makes the folds of a cross-validation: the rows that each one scores, trains on and validates on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from omegaconf import DictConfig
from sklearn import model_selection

from dltrain.base.errors import ConfigError, DataError
from dltrain.config.seed import Seed
from dltrain.data.split import TOLERANCE, Rows, Split, SplitConstraints, cut, in_time


@dataclass(frozen=True)
class Fold:
    """One training of a cross-validation."""

    number: int  # the number of the fold, from 1 through all repeats
    repeat: int  # the number of the repeat, from 1
    seed: Seed  # the seed for weights and shuffling, derived from the run's seed and the number
    split: Split  # the rows; `test` is scored, `validation` is cut from the others


def make_folds(
    cv: DictConfig, constraints: SplitConstraints, rows: Rows, *, validation: float, seed: Seed, gap: float = 0.0
) -> list[Fold]:
    """Makes folds that score each row once in each repeat.

    `rows` are the positions outside the test part; `validation` is the share of a fold's other rows that validate. With
    `cv=time` a fold trains, validates and scores in the order of time, with `gap` between; the first rows are scored by
    none.

    Raises:
        ConfigError: If there are fewer rows or groups than folds.
        DataError: If a fold has too few rows to train and validate on.
    """
    if cv.name == "time":
        return _folds_in_time(int(cv.folds), constraints, rows, validation=validation, seed=seed, gap=gap)
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


def _folds_in_time(
    count: int, constraints: SplitConstraints, rows: Rows, *, validation: float, seed: Seed, gap: float
) -> list[Fold]:
    """Cuts the time into one span more than folds, each of which scores a span by a model of all the time before it.

    These are the folds of scikit-learn's TimeSeriesSplit, but that rows of one time stay together.
    """
    assert constraints.times is not None
    times = constraints.times
    spans = in_time(rows, constraints, [1 / (count + 1)] * (count + 1), 0.0)
    folds = []
    for number, scored in enumerate(spans[1:], 1):
        earlier = np.concatenate(spans[:number])
        if gap > 0:
            earlier = earlier[times[earlier] <= times[scored].min() - gap + TOLERANCE]
        try:
            train, validated = in_time(np.sort(earlier), constraints, (1 - validation, validation), gap)
        except DataError as error:
            raise DataError(f"Fold {number} of cv.folds={count}: {error} Or choose fewer folds.") from None
        folds.append(Fold(number, 1, seed.fold(number), Split(train, validated, scored)))
    return folds


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
