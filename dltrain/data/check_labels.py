"""Checks the target for rare classes, outliers, and labels that the other rows contradict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix, hstack
from scipy.stats import binomtest, poisson
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

from dltrain.data.finding import Finding, Parts, folds, named_rows

RATIO = 10.0  # largest class to smallest
FEW = 10  # rows of a class in a part that is scored
FEWEST_OF_CLASS = 5  # with fewer rows a weight only has them learned by heart
RARE = 0.05  # share of rows with a label
OUTLYING = 10.0  # in robust standard deviations from the median
NOISE_ROWS = 1_000
FEWEST = 100
ROWS_A_FEATURE = 10  # with fewer rows the classifier is overconfident
MOST_CLASSES = 20
FREQUENT = 5  # rows that a category needs to get a one-hot column
UNLIKELY = 0.02
SIGNIFICANT = 1e-3


def imbalance(parts: Parts) -> Iterator[Finding]:
    """Finds classes or labels that few train rows have."""
    target = parts.target
    if target.kind.labels:
        shares = target.values.mean(axis=0)
        for name, share in zip(target.classes, shares, strict=True):
            if not RARE <= share <= 1 - RARE:
                yield Finding(
                    "class imbalance",
                    "warning",
                    f"Label '{name}' is true in {share:.1%} of the train rows: accuracy says little, look at the AUC.",
                    columns=(name,),
                )
    elif target.kind.one_class and not parts.weighted:
        counts = np.bincount(target.values.astype(np.int64), minlength=len(target.classes))
        least, most = int(counts.argmin()), int(counts.argmax())
        if counts[most] >= RATIO * counts[least]:
            yield Finding(
                "class imbalance",
                "warning",
                f"Class '{target.classes[least]}' has {counts[least]:,} train rows and '{target.classes[most]}' "
                f"{counts[most]:,}: accuracy alone says little. "
                + (
                    "Try task.class_weight=balanced."
                    if counts[least] >= FEWEST_OF_CLASS
                    else "So few rows cannot teach the class, whatever their weight: get more, or leave the class out."
                ),
            )


def few_rows(parts: Parts) -> Iterator[Finding]:
    """Finds that the rarest class has so few rows in a part that a score of it says little.

    Their number follows from the class's share of the train rows, since the targets of the test part are not looked at.
    """
    target = parts.target
    if not target.kind.one_class:
        return
    counts = np.bincount(target.values.astype(np.int64), minlength=len(target.classes))
    rarest = int(counts.argmin())
    rows = {part: round(len(parts.raw[part]) * counts[rarest] / len(parts.train)) for part in parts.unseen}
    if few := {part: count for part, count in rows.items() if count < FEW}:
        least = max(1, min(few.values()))
        words = " and ".join(f"{count} row{'s' * (count != 1)} in {part}" for part, count in few.items())
        interval = binomtest(least // 2, least).proportion_ci()
        yield Finding(
            "few rows of a class",
            "warning",
            f"Class '{target.classes[rarest]}' has about {words}: "
            f"the 95 % interval of a share of them is {interval.high - interval.low:.2f} wide. Get more rows of it; "
            "cv=kfold scores all that there are.",
        )


def outliers(parts: Parts) -> Iterator[Finding]:
    """Finds targets far from the others, which dominate a squared error."""
    if parts.target.classes:
        return
    values = parts.target.values.astype(np.float64)
    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    if not spread > 0:
        return
    far = np.abs(values - middle) / spread
    rows = np.flatnonzero(far > OUTLYING)
    if len(rows):
        rows = rows[np.argsort(-far[rows], kind="stable")]
        ids, words = named_rows(parts.train.row_ids[rows])
        yield Finding(
            "target outliers",
            "warning",
            f"The target of {len(rows):,} train rows lies more than {OUTLYING:g} robust standard deviations from the "
            f"median {middle:g} (rows {words}; {values[rows[0]]:g}). Look at them, train on its logarithm, or use "
            "task.loss._target_=keras.losses.Huber.",
            rows=ids,
        )


def noise(parts: Parts) -> Iterator[Finding]:
    """Finds labels that are wrong more often than out-of-fold probabilities allow (after Northcutt et al. 2021)."""
    target = parts.target
    rows = parts.sample("train", NOISE_ROWS)
    if not target.kind.one_class or len(target.classes) > MOST_CLASSES or len(rows) < FEWEST:
        return
    labels = target.values[rows].astype(np.int64)
    features = _features(parts, rows)
    texts = bool(parts.named("text"))
    if features.shape[1] == 0 or (not texts and features.shape[1] * ROWS_A_FEATURE > len(rows)):
        return
    probabilities = np.zeros((len(rows), len(target.classes)))
    for held in folds(labels, parts.seed):
        if len(np.unique(labels[~held])) < 2:
            return
        model = LogisticRegression(C=1.0 if texts else 100.0, tol=1e-2).fit(features[~held], labels[~held])
        probabilities[np.ix_(held, model.classes_)] = model.predict_proba(features[held])
    given = probabilities[np.arange(len(rows)), labels]
    suspects = np.flatnonzero(given < UNLIKELY)
    expected = probabilities[probabilities < UNLIKELY].sum()
    if len(suspects) > 2 and poisson.sf(len(suspects) - 1, max(expected, 0.1)) < SIGNIFICANT:
        suspects = suspects[np.argsort(given[suspects], kind="stable")]
        ids, words = named_rows(parts.train.row_ids[rows[suspects]])
        sampled = f" (of {len(rows):,} looked at)" if len(rows) < len(parts.train) else ""
        yield Finding(
            "label noise",
            "warning",
            f"The labels of {len(suspects):,} train rows{sampled} have less than {UNLIKELY:.0%} probability by the "
            f"other rows, where {expected:.1f} would be expected (rows {words}). Look at them: they may be wrong.",
            rows=ids,
        )


def _features(parts: Parts, rows: npt.NDArray[np.intp]) -> Any:
    """Returns a matrix (rows, features): scaled numbers, one-hot columns of frequent categories, hashed words."""
    blocks: list[npt.NDArray[np.float64]] = []
    texts = []
    for name, cells in parts.train.take(rows).columns.items():
        kind = parts.train.kinds[name]
        if kind == "numeric":
            numbers = cells.astype(np.float64) / 2  # so that no difference overflows
            absent = np.isnan(numbers)
            if absent.all():
                continue
            low, middle, high = np.quantile(numbers[~absent], [0.05, 0.5, 0.95])
            numbers = np.clip(np.where(absent, middle, numbers), low, high)
            width = high - low
            blocks.append(((numbers - middle) / (width if 0 < width < np.inf else 1.0))[:, None])
            if absent.any():
                blocks.append(absent[:, None].astype(np.float64))
        elif kind == "category":
            places, _ = pd.factorize(cells, sort=True)
            frequent = np.flatnonzero(np.bincount(places) >= FREQUENT)
            blocks.append((places[:, None] == frequent).astype(np.float64))
        elif kind == "text":
            texts.append(HashingVectorizer(n_features=2**12).transform(cells))
    table = np.hstack(blocks) if blocks else np.zeros((len(rows), 0))
    return csr_matrix(hstack([*texts, csr_matrix(table)])) if texts else table
