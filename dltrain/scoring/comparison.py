"""Computes by how much the network beats the best baseline on the same rows, and how certain that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap, norm

from dltrain.data.targets import Target
from dltrain.scoring.significance import CONFIDENCE

Answers = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.float64]

LEAST_ROWS = 10  # with fewer rows an interval is meaningless
RESAMPLED_AT_ONCE = 5_000_000


@dataclass(frozen=True)
class Difference:
    """The network against the best baseline on the same rows."""

    part: str
    metric: str  # accuracy for classes and labels, rmse for quantities
    baseline: str  # the best baseline in this metric on this part
    value: float  # by how much the network is better, in the unit of the metric; below 0 if it is worse
    # The 95 % interval of `value` for this split and seed alone; None for fewer than ten rows
    interval: tuple[float, float] | None

    @property
    def beats(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.interval is not None and self.interval[0] > 0

    def as_json(self) -> dict[str, Any]:
        """Returns the entry `difference` of metrics.json."""
        return asdict(self)

    def sentence(self) -> str:
        """Returns the sentence shown at the end of a run."""
        verb = "beats" if self.value > 0 else "falls behind" if self.value < 0 else "equals"
        amount = f" by {abs(self.value):.3g} {self.metric}" if self.value else f" in {self.metric}"
        if self.interval is None:
            return f"{verb} {self.baseline}{amount} on {self.part}: too few rows to say how sure that is"
        low, high = self.interval if self.value >= 0 else (-self.interval[1], -self.interval[0])
        sure = "" if low > 0 else ": not distinguishable"
        return f"{verb} {self.baseline}{amount} ({low:.3g} to {high:.3g}) on {self.part}{sure}"


def resamples(rows: int) -> int:
    """Returns how often `rows` rows are resampled for an interval."""
    return 1_000 if rows <= 5_000 else 200


def compare(part: str, target: Target, answers: Answers, baselines: Mapping[str, Answers], seed: int) -> Difference:
    """Compares the network's predictions (rows, units) with those of the best baseline.

    For one class a row the interval is that of Agresti & Min (2005) for matched pairs, which holds for few rows as
    well; else it is a percentile interval of a paired bootstrap over the rows (Efron & Tibshirani 1993), drawn by
    `seed`.
    """
    found = {name: _by_row(target, given) for name, given in baselines.items()}
    mine = _by_row(target, answers)
    if target.classes:
        best = max(found, key=lambda name: found[name].mean())
        value = float(mine.mean() - found[best].mean())
    else:
        best = min(found, key=lambda name: found[name].mean())
        value = float(_rmse_gain(mine, found[best]))
    interval = None
    if len(mine) >= LEAST_ROWS:
        exact = target.kind.one_class
        interval = _matched_pairs(mine, found[best]) if exact else _resampled(target, mine, found[best], seed)
    return Difference(part, target.kind.row_measure, best, value, interval)


def _by_row(target: Target, answers: Answers) -> Rows:
    """Returns 1 or 0 for a right or wrong class, the share of right labels, or the squared error; shape (rows,)."""
    given, truth = np.asarray(answers, np.float64), target.column.astype(np.float64)
    if target.kind.several_classes:
        return np.asarray(given.argmax(axis=1) == truth[:, 0], np.float64)
    if target.classes:
        return np.asarray(((given > 0.5) == truth).mean(axis=1), np.float64)
    return np.asarray(np.square(given - truth)[:, 0], np.float64)


def _rmse_gain(mine: Rows, other: Rows, axis: int = -1) -> Any:
    return np.sqrt(other.mean(axis=axis)) - np.sqrt(mine.mean(axis=axis))


def _matched_pairs(mine: Rows, other: Rows) -> tuple[float, float]:
    rows = len(mine) + 2
    won = np.sum(mine > other) + 0.5
    lost = np.sum(mine < other) + 0.5
    middle = (won - lost) / rows
    half = norm.ppf(0.5 + CONFIDENCE / 2) * math.sqrt(won + lost - rows * middle**2) / rows
    return float(max(middle - half, -1.0)), float(min(middle + half, 1.0))


def _resampled(target: Target, mine: Rows, other: Rows, seed: int) -> tuple[float, float]:
    def gain(mine: Rows, other: Rows, axis: int = -1) -> Any:
        return mine.mean(axis=axis) - other.mean(axis=axis) if target.classes else _rmse_gain(mine, other, axis)

    found = bootstrap(
        (mine, other),
        gain,
        paired=True,
        n_resamples=resamples(len(mine)),
        batch=max(1, RESAMPLED_AT_ONCE // len(mine)),
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)
