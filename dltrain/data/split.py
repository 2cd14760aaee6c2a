"""Which rows train, which validate and which test: positions into a dataset, disjoint, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from dltrain.errors import ConfigError, DataError

Rows = npt.NDArray[np.intp]
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Positions of the rows of each part, each in ascending order."""

    train: Rows
    validation: Rows
    test: Rows

    def parts(self) -> dict[str, Rows]:
        """The parts by name, in the order train, validation, test."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


@dataclass(frozen=True)
class Source:
    """What a split may look at.

    Attributes:
        classes: the class number of each row, or None where the target is no class.
        test_rows: marks of an official test set, or None.
        rows: number of rows.
    """

    classes: npt.NDArray[np.integer] | None
    test_rows: npt.NDArray[np.bool_] | None
    rows: int


def subset(source: Source, rows: int, seed: int) -> Rows:
    """Positions of so many rows drawn at random, with the same share of each class and of the official test set.

    Args:
        source: the dataset's classes and marks.
        rows: how many to keep; all where there are fewer.
        seed: of the draw.
    """
    if rows >= source.rows:
        return np.arange(source.rows)
    strata = (
        np.zeros(source.rows, dtype=np.int64) if source.classes is None else np.asarray(source.classes, dtype=np.int64)
    )
    if source.test_rows is not None:
        strata = 2 * strata + source.test_rows
    kept, _ = _cut(np.arange(source.rows), rows, strata, seed)
    return np.sort(kept)


def auto(source: Source, *, seed: int, stratify: bool) -> Split:
    """An official test set stays; else by size m: m <= 1,000 60:20:20, <= 10,000 80:10:10, above 98:1:1."""
    if source.test_rows is not None:
        return official(source, seed=seed, validation=0.1, stratify=stratify)
    share = 0.2 if source.rows <= 1_000 else 0.1 if source.rows <= 10_000 else 0.01
    return ratio(source, seed=seed, train=1 - 2 * share, validation=share, test=share, stratify=stratify)


def ratio(source: Source, *, seed: int, train: float, validation: float, test: float, stratify: bool) -> Split:
    """Shares of all rows.

    Raises:
        ConfigError: the shares do not add up to 1, or the dataset has an official test set, which must stay intact.
    """
    shares = {"train": train, "validation": validation, "test": test}
    wrong = [name for name, share in shares.items() if not 0 < share < 1]
    if wrong or abs(sum(shares.values()) - 1) > 1e-6:
        raise ConfigError(
            f"split: expected three shares above 0 that add up to 1, got {train}, {validation} and {test}."
        )
    if source.test_rows is not None:
        raise ConfigError("split=ratio would mix this dataset's official test set into the rest. Use split=official.")
    strata = source.classes if stratify else None
    rest, tested = _cut(np.arange(source.rows), source.rows - _size(source.rows, test), strata, seed)
    trained, validated = _cut(rest, len(rest) - _size(source.rows, validation), strata, seed)
    return _checked(trained, validated, tested)


def official(source: Source, *, seed: int, validation: float, stratify: bool) -> Split:
    """The official test set stays intact; a share of the other rows validates.

    Raises:
        ConfigError: the dataset has no official test set, or the share is not between 0 and 1.
    """
    if source.test_rows is None:
        raise ConfigError("split=official: this dataset has no official test set. Use split=auto or split=ratio.")
    if not 0 < validation < 1:
        raise ConfigError(f"split.validation: expected a share between 0 and 1, got {validation}.")
    rest = np.flatnonzero(~source.test_rows)
    strata = source.classes if stratify else None
    trained, validated = _cut(rest, len(rest) - _size(len(rest), validation), strata, seed)
    return _checked(trained, validated, np.flatnonzero(source.test_rows))


def _size(rows: int, share: float) -> int:
    return max(1, round(rows * share))


def _cut(rows: Rows, first: int, strata: npt.NDArray[np.integer] | None, seed: int) -> tuple[Rows, Rows]:
    """Two disjoint random parts of `rows`, the first with so many; stratified where every class can be in both."""
    if not 0 < first < len(rows):
        raise DataError(f"{len(rows)} rows are too few for this split: a part of it would have no row.")
    labels = None if strata is None else strata[rows]
    if labels is not None:
        _, numbered, counts = np.unique(labels, return_inverse=True, return_counts=True)
        # A class of a single row has no second row to stand in the other part: such rows share one stratum.
        labels = np.where(counts[numbered] < 2, -1, numbered)
        _, counts = np.unique(labels, return_counts=True)
        if counts.min() < 2 or min(first, len(rows) - first) < len(counts):
            labels = None
    one, other = train_test_split(rows, train_size=first, stratify=labels, random_state=seed)
    return one, other


def _checked(train: Rows, validation: Rows, test: Rows) -> Split:
    split = Split(np.sort(train), np.sort(validation), np.sort(test))
    for name, rows in split.parts().items():
        if not len(rows):
            raise DataError(f"The {name} part has no row: the dataset is too small for this split.")
    return split
