"""Splits rows into disjoint train, validation and test parts, given by positions; the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from dltrain.base.errors import ConfigError, DataError

Rows = npt.NDArray[np.intp]
GROUP_DRAWS = 50
TOLERANCE = 1e-9  # days, since a time of day is no exact number of them


@dataclass(frozen=True)
class Split:
    """Positions of the rows of each part, in ascending order."""

    train: Rows
    validation: Rows
    test: Rows

    def parts(self) -> dict[str, Rows]:
        """Returns the parts by name in the order train, validation, test."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


@dataclass(frozen=True)
class SplitConstraints:
    """What a split has to respect."""

    classes: npt.NDArray[np.integer] | None  # the class number of each row, or None if the target has no classes
    test_rows: npt.NDArray[np.bool_] | None  # marks an official test set, or None
    rows: int
    groups: Rows | None = None  # the group of each row, or None; no group may be in two parts
    values: npt.NDArray[np.floating] | None = None  # the target of each row where it is a quantity
    times: npt.NDArray[np.float64] | None = None  # when each row was, or None; rows of one time stay in one part

    def strata(self, quantiles: int) -> npt.NDArray[np.integer] | None:
        """Numbers the strata of the rows: their classes, or so many quantiles of a quantity; None without either."""
        if self.classes is not None or self.values is None or quantiles < 2:
            return self.classes
        edges = np.unique(np.quantile(self.values, np.linspace(0, 1, quantiles + 1)[1:-1]))
        return np.searchsorted(edges, self.values, side="right")


def subset(constraints: SplitConstraints, rows: int, seed: int) -> Rows:
    """Draws positions of at most `rows` rows, keeping the shares of each class and of the official test set."""
    if rows >= constraints.rows:
        return np.arange(constraints.rows)
    strata = (
        np.zeros(constraints.rows, dtype=np.int64)
        if constraints.classes is None
        else np.asarray(constraints.classes, dtype=np.int64)
    )
    if constraints.test_rows is not None:
        strata = 2 * strata + constraints.test_rows
    kept, _ = cut(np.arange(constraints.rows), rows, replace(constraints, groups=None), strata, seed)
    return np.sort(kept)


def auto(
    constraints: SplitConstraints, *, seed: int, stratify: bool, quantiles: int = 0, minimum_rows: int = 0
) -> Split:
    """Keeps an official test set; else splits by size m: m <= 1,000 60:20:20, <= 10,000 80:10:10, above 98:1:1.

    Above 10,000 rows validation and test have at least `minimum_rows` each. Configs of earlier versions have neither
    that key nor `quantiles`, the number of strata of a quantity.
    """
    if constraints.test_rows is not None:
        return official(constraints, seed=seed, validation=0.1, stratify=stratify, quantiles=quantiles)
    rows = constraints.rows
    share = 0.2 if rows <= 1_000 else 0.1 if rows <= 10_000 else max(0.01, min(minimum_rows, rows // 10) / rows)
    shares = {"train": 1 - 2 * share, "validation": share, "test": share}
    return ratio(constraints, seed=seed, stratify=stratify, quantiles=quantiles, **shares)


def ratio(
    constraints: SplitConstraints,
    *,
    seed: int,
    train: float,
    validation: float,
    test: float,
    stratify: bool,
    quantiles: int = 0,
) -> Split:
    """Splits by shares of all rows.

    Raises:
        ConfigError: If the shares do not add up to 1, or the dataset has an official test set, which must stay intact.
    """
    _check_shares(train, validation, test)
    if constraints.test_rows is not None:
        raise ConfigError("split=ratio would mix this dataset's official test set into the rest. Use split=official.")
    strata = constraints.strata(quantiles) if stratify else None
    rest, tested = cut(
        np.arange(constraints.rows), constraints.rows - _size(constraints.rows, test), constraints, strata, seed
    )
    trained, validated = cut(rest, len(rest) - _size(constraints.rows, validation), constraints, strata, seed)
    return _checked(trained, validated, tested)


def official(
    constraints: SplitConstraints, *, seed: int, validation: float, stratify: bool, quantiles: int = 0
) -> Split:
    """Keeps the official test set intact and takes a share of the other rows for validation.

    Raises:
        ConfigError: If the dataset has no official test set, or the share is not between 0 and 1.
    """
    if constraints.test_rows is None:
        raise ConfigError("split=official: this dataset has no official test set. Use split=auto or split=ratio.")
    if not 0 < validation < 1:
        raise ConfigError(f"split.validation: expected a share between 0 and 1, got {validation}.")
    rest = np.flatnonzero(~constraints.test_rows)
    strata = constraints.strata(quantiles) if stratify else None
    trained, validated = cut(rest, len(rest) - _size(len(rest), validation), constraints, strata, seed)
    return _checked(trained, validated, np.flatnonzero(constraints.test_rows))


def no_test(
    constraints: SplitConstraints, *, seed: int, validation: float | None, stratify: bool, quantiles: int
) -> Split:
    """Holds back no test rows, and a share of all for validation; None trains on every row.

    Raises:
        ConfigError: If the dataset has an official test set, which must stay intact.
    """
    if constraints.test_rows is not None:
        raise ConfigError("split=no_test would train on this dataset's official test set. Use split=official.")
    rows = np.arange(constraints.rows)
    if validation is None:
        return Split(rows, rows[:0], rows[:0])
    strata = constraints.strata(quantiles) if stratify else None
    trained, validated = cut(rows, constraints.rows - _size(constraints.rows, validation), constraints, strata, seed)
    return Split(np.sort(trained), np.sort(validated), rows[:0])


def group(
    constraints: SplitConstraints,
    *,
    seed: int,
    column: str,
    train: float,
    validation: float,
    test: float,
    stratify: bool,
    quantiles: int,
    group_is_feature: bool,
) -> Split:
    """Splits by shares of all rows such that all rows of a group are in one part.

    Who calls it has read the column `column` into `constraints.groups`, and left it out of the features unless
    `group_is_feature`.

    Raises:
        ConfigError: If the shares do not add up to 1, or the dataset has an official test set.
        DataError: If there are fewer than three groups.
    """
    if constraints.test_rows is not None:
        raise ConfigError("split=group would mix this dataset's official test set into the rest. Use split=official.")
    shares = {"train": train, "validation": validation, "test": test}
    return ratio(constraints, seed=seed, stratify=stratify, quantiles=quantiles, **shares)


def time(
    constraints: SplitConstraints,
    *,
    column: str | list[str],
    train: float,
    validation: float,
    test: float,
    gap: float,
) -> Split:
    """Splits by shares of all rows such that train rows come before validation rows, and these before test rows.

    Rows of one time are in one part, which is why the shares are met as nearly as the times allow. Rows that are less
    than `gap` before the next part are in no part. Who calls it has read the column `column` into `constraints.times`.

    Raises:
        ConfigError: If the shares do not add up to 1, or the dataset has an official test set.
        DataError: If there are too few times, or no row of a part is left before the gap.
    """
    if constraints.test_rows is not None:
        raise ConfigError("split=time would mix this dataset's official test set into the rest. Use split=official.")
    _check_shares(train, validation, test)
    return Split(*in_time(np.arange(constraints.rows), constraints, (train, validation, test), gap))


def in_time(rows: Rows, constraints: SplitConstraints, shares: Sequence[float], gap: float) -> list[Rows]:
    """Cuts positions into consecutive spans of time that have about these shares of the rows, each in ascending order.

    Rows that are less than `gap` before the next span are left out.

    Raises:
        DataError: If a span would be empty.
    """
    assert constraints.times is not None
    times = constraints.times[rows]
    different, counts = np.unique(times, return_counts=True)
    if len(different) < len(shares):
        raise DataError(
            f"split.column: {len(rows)} rows with {len(different)} different times cannot be split into {len(shares)} "
            "spans of time; expected one time in each at least."
        )
    before = np.concatenate([[0.0], np.cumsum(counts[:-1]) / len(rows)])  # the share of rows before each time
    places = [0]
    for left, wanted in zip(range(len(shares) - 1, 0, -1), np.cumsum(shares), strict=False):
        choices = np.arange(places[-1] + 1, len(different) - left + 1)
        places.append(int(choices[np.abs(before[choices] - wanted).argmin()]))
    begins = different[places]
    ends = np.append(begins[1:] - max(gap, 0.0) + TOLERANCE * (gap > 0), np.inf)
    spans = []
    for number, (begin, end) in enumerate(zip(begins, ends, strict=True), 1):
        spans.append(np.sort(rows[(times >= begin) & ((times <= end) if gap > 0 else (times < end))]))
        if not len(spans[-1]):
            raise DataError(
                f"split.gap={gap:g} leaves no row in span {number} of {len(shares)} spans of time: none is so long "
                "before the next span. Choose a smaller gap."
            )
    return spans


def _check_shares(*shares: float) -> None:
    if any(not 0 < share < 1 for share in shares) or abs(sum(shares) - 1) > 1e-6:
        raise ConfigError("split: expected three shares above 0 that add up to 1, got {}, {} and {}.".format(*shares))


def _size(rows: int, share: float) -> int:
    return max(1, round(rows * share))


def cut(
    rows: Rows, first: int, constraints: SplitConstraints, strata: npt.NDArray[np.integer] | None, seed: int
) -> tuple[Rows, Rows]:
    """Splits positions at random into two parts, the first with `first` rows, or nearly so many with groups.

    `strata` numbers the stratum of each row of the dataset; the parts are stratified if every stratum can be in both.

    Raises:
        DataError: If a part would be empty.
    """
    if not 0 < first < len(rows):
        raise DataError(f"{len(rows)} rows are too few for this split: a part of it would have no row.")
    labels = None if strata is None else strata[rows]
    if constraints.groups is not None:
        return _cut_groups(rows, first, constraints.groups[rows], labels, seed)
    if labels is not None:
        _, numbered, counts = np.unique(labels, return_inverse=True, return_counts=True)
        # A class with a single row cannot be in both parts, so all such rows share one stratum.
        labels = np.where(counts[numbered] < 2, -1, numbered)
        _, counts = np.unique(labels, return_counts=True)
        if counts.min() < 2 or min(first, len(rows) - first) < len(counts):
            labels = None
    one, other = train_test_split(rows, train_size=first, stratify=labels, random_state=seed)
    return one, other


def _cut_groups(
    rows: Rows, first: int, groups: Rows, labels: npt.NDArray[np.integer] | None, seed: int
) -> tuple[Rows, Rows]:
    """Puts whole groups into each part: takes the draw whose sizes and class shares come nearest to the wanted ones."""
    if len(np.unique(groups)) < 2:
        raise DataError(f"The {len(rows)} rows of one group cannot be split; expected more groups.")
    share = first / len(rows)
    strata = np.zeros(len(rows), dtype=np.int64) if labels is None else np.unique(labels, return_inverse=True)[1]
    wanted = share * np.bincount(strata)
    draws = GroupShuffleSplit(GROUP_DRAWS, train_size=share, random_state=seed).split(rows, groups=groups)

    def distance(draw: tuple[Rows, Rows]) -> float:
        return float(np.abs(np.bincount(strata[draw[0]], minlength=len(wanted)) - wanted).sum())

    one, other = min(draws, key=distance)
    return rows[one], rows[other]


def _checked(train: Rows, validation: Rows, test: Rows) -> Split:
    split = Split(np.sort(train), np.sort(validation), np.sort(test))
    for name, rows in split.parts().items():
        if not len(rows):
            raise DataError(f"The {name} part has no row: the dataset is too small for this split.")
    return split
