"""Checks for columns that give the target away and for columns without information."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from dltrain.data.finding import Finding, Parts, folds
from dltrain.data.kinds import CAMEL_CASE_ID, ID_NAME

LEAK_ROWS = 1_000
LEAK_COLUMNS = 200
MOST_WORDS = 1_000  # of a text column, the most frequent
FEWEST = 30
FEWEST_OF_CLASS = 10  # with fewer, each fold would judge a class by two or three rows, or by none
NEARLY_PERFECT = 0.99
MOSTLY_MISSING = 0.5
NEARLY_ALL_DIFFER = 0.9


def leaks(parts: Parts) -> Iterator[Finding]:
    """Finds columns that predict the target alone: a small tree on one of them is nearly always right out of fold."""
    rows = _sampled(parts)
    numbers, names = parts.numbers("train", rows)
    # A single column is the whole table and cannot be suspicious beside others.
    if len(rows) < FEWEST or len(parts.train.kinds) < 2 or parts.target.kind.labels:
        return
    target = parts.target.values[rows]
    held_out = folds(target, parts.seed)
    yield from _presence(parts, rows, target)
    for name in parts.named("text"):
        cells = parts.train.columns[name][rows]
        try:
            words = CountVectorizer(binary=True, max_features=MOST_WORDS).fit_transform(cells).toarray()
        except ValueError:  # no word is left
            continue
        if (score := _score(words.astype(np.float32), target, held_out, parts)) >= NEARLY_PERFECT:
            yield Finding(
                "target leak",
                "warning",
                f"A few words of column '{name}' alone tell the target (score {score:.3f} of a small tree, out of "
                "fold). If they are known only after the target is, leave it out: a model of it is worth nothing.",
                columns=(name,),
            )
    for place in _most_correlated(numbers, target):
        score = _score(numbers[:, place : place + 1].astype(np.float32), target, held_out, parts)
        if score >= NEARLY_PERFECT:
            what = "balanced accuracy" if parts.target.kind.one_class else "R2"
            yield Finding(
                "target leak",
                "warning",
                f"Column '{names[place]}' alone tells the target ({what} {score:.3f} of a small tree, out of fold). "
                "If it is known only after the target is, leave it out: a model of it is worth nothing.",
                columns=(names[place],),
            )


def _sampled(parts: Parts) -> npt.NDArray[np.intp]:
    """Returns sorted positions of train rows: a random sample, filled up with rows of rare classes.

    Rows of a class with fewer than `FEWEST_OF_CLASS` are left out, and all rows if fewer than two classes remain: what
    is always right where it answers a single class tells nothing.
    """
    rows = parts.sample("train", LEAK_ROWS)
    if not parts.target.kind.one_class:
        return rows
    found = []
    for label in np.unique(parts.target.values):
        own = np.flatnonzero(parts.target.values == label)
        drawn = np.intersect1d(rows, own)
        if len(drawn) < FEWEST:
            drawn = own[np.linspace(0, len(own) - 1, min(FEWEST, len(own))).astype(np.intp)]
        if len(own) >= FEWEST_OF_CLASS:
            found.append(drawn)
    return np.sort(np.concatenate(found)) if len(found) > 1 else rows[:0]


def _presence(parts: Parts, rows: npt.NDArray[np.intp], target: npt.NDArray[Any]) -> Iterator[Finding]:
    """Finds columns that are filled, or empty, in the rows of one class alone; of two classes a small tree tells."""
    if not parts.target.kind.several_classes:
        return
    for name, kind in parts.train.kinds.items():
        if kind == "image":
            continue
        cells = parts.train.columns[name][rows]
        filled = ~np.isnan(cells.astype(np.float64)) if kind == "numeric" else cells != ""
        if min(filled.sum(), (~filled).sum()) < FEWEST:
            continue
        for place, label in enumerate(parts.target.classes):
            own = target == place
            if not 0 < own.sum() < len(own):
                continue
            agree = (filled[own].mean() + (~filled[~own]).mean()) / 2
            if max(agree, 1 - agree) >= NEARLY_PERFECT:
                yield Finding(
                    "target leak",
                    "warning",
                    f"Column '{name}' is {'filled' if agree > 0.5 else 'empty'} for class '{label}' alone. If it is "
                    "known only after the target is, leave it out: a model of it is worth nothing.",
                    columns=(name,),
                )


def useless(parts: Parts) -> Iterator[Finding]:
    """Finds constant, mostly missing and identifying columns."""
    for name, kind in parts.train.kinds.items():
        if kind not in ("numeric", "category"):
            continue
        cells = parts.train.columns[name]
        absent = np.isnan(cells.astype(np.float64)) if kind == "numeric" else cells == ""
        present = cells[~absent]
        share = float(absent.mean())
        same = not len(present) or bool((present == present[0]).all())
        if same and share in (0.0, 1.0):
            word = "missing" if share else f"'{present[0]}'"
            yield Finding(
                "constant column",
                "warning",
                f"Column '{name}' is {word} in every train row: nothing can be learned from it.",
                columns=(name,),
            )
        elif share > MOSTLY_MISSING:
            yield Finding(
                "mostly missing column",
                "warning",
                f"Column '{name}' is missing in {math.floor(100 * share)}% of the train rows.",
                columns=(name,),
            )
        elif (distinct := _identifying(name, kind, present)) is not None:
            yield Finding(
                "identifying column",
                "warning",
                f"Column '{name}' names the rows ({distinct:,} different values in {len(present):,} train rows): "
                f"what is learned of it holds for these rows alone. Leave it out, or name it as the id.",
                columns=(name,),
            )


def _identifying(name: str, kind: str, present: npt.NDArray[Any]) -> int | None:
    """Counts the different values of an identifying column; None if it does not identify the rows."""
    # Fractions identify nothing, and this test is many times cheaper than counting distinct values.
    if len(present) < FEWEST or (kind == "numeric" and not bool(np.all(present == np.floor(present)))):
        return None
    distinct = len(pd.unique(pd.Series(present)))
    if kind == "category":
        return distinct if distinct >= NEARLY_ALL_DIFFER * len(present) else None
    if distinct < len(present):
        return None
    rising = bool(np.all(np.diff(present) > 0)) or bool(np.all(np.diff(present) < 0))
    return distinct if rising or ID_NAME.fullmatch(name) or CAMEL_CASE_ID.fullmatch(name) else None


def _most_correlated(numbers: npt.NDArray[np.float64], target: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Returns the positions of the columns to check: of very many, the most rank-correlated with the target."""
    if numbers.shape[1] <= LEAK_COLUMNS:
        return np.arange(numbers.shape[1])
    ranks = pd.DataFrame(numbers).rank().to_numpy()
    ranks = (ranks - ranks.mean(axis=0)) / np.maximum(ranks.std(axis=0), 1e-9)
    order = pd.Series(target).rank().to_numpy()
    together = np.abs(ranks.T @ (order - order.mean()))
    return np.sort(np.argsort(-together)[:LEAK_COLUMNS])


def _score(
    column: npt.NDArray[np.float32], target: npt.NDArray[Any], held_out: list[npt.NDArray[np.bool_]], parts: Parts
) -> float:
    classes = parts.target.kind.one_class
    answers = np.zeros(len(target))
    if classes:
        depth = 2 + math.ceil(math.log2(len(parts.target.classes)))
        tree: Any = DecisionTreeClassifier(max_depth=depth, random_state=parts.seed)
    else:
        tree = DecisionTreeRegressor(max_depth=6, min_samples_leaf=2, random_state=parts.seed)
        target = target.astype(np.float64)
    for number, held in enumerate(held_out):
        tree.fit(column[~held], target[~held])
        answers[held] = tree.predict(column[held])
        if number == 0 and _quality(answers[held], target[held], classes) < NEARLY_PERFECT - 0.1:
            return 0.0  # most columns are far below the threshold, so one fold is enough
    return _quality(answers, target, classes)


def _quality(answers: npt.NDArray[np.float64], target: npt.NDArray[Any], classes: bool) -> float:
    if classes:
        return float(np.mean([(answers[target == label] == label).mean() for label in np.unique(target)]))
    spread = np.square(target - target.mean()).sum()
    return float(1 - np.square(answers - target).sum() / spread) if spread > 0 else 0.0
