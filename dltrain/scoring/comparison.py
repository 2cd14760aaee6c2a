"""By how much the network beats the best simple model on the same rows, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap, norm

from dltrain.data.targets import Target

Answers = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.float64]

CONFIDENCE = 0.95
LEAST_ROWS = 10  # of fewer, no interval says anything
RESAMPLED_AT_ONCE = 5_000_000


@dataclass(frozen=True)
class Difference:
    """The network against the best baseline, on the same rows.

    Attributes:
        part: whose rows.
        metric: accuracy for classes and labels, rmse for quantities.
        baseline: the one that is best in this metric on this part.
        value: by how much the network is better, in the metric's units; below 0 where it is worse.
        interval: 95 % interval of `value` for this split and this seed alone; None for fewer than ten rows.
    """

    part: str
    metric: str
    baseline: str
    value: float
    interval: tuple[float, float] | None

    @property
    def beats(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.interval is not None and self.interval[0] > 0

    def as_json(self) -> dict[str, Any]:
        """The entry `difference` of metrics.json."""
        return asdict(self)

    def sentence(self) -> str:
        """What a person reads at the end of a run."""
        verb = "beats" if self.value > 0 else "falls behind" if self.value < 0 else "equals"
        amount = f" by {abs(self.value):.3g} {self.metric}" if self.value else f" in {self.metric}"
        if self.interval is None:
            return f"{verb} {self.baseline}{amount} on {self.part}: too few rows to say how sure that is"
        low, high = self.interval if self.value >= 0 else (-self.interval[1], -self.interval[0])
        sure = "" if low > 0 else ": not distinguishable"
        return f"{verb} {self.baseline}{amount} ({low:.3g} to {high:.3g}) on {self.part}{sure}"


def resamples(rows: int) -> int:
    """How often so many rows are resampled for an interval."""
    return 1_000 if rows <= 5_000 else 200


def compare(part: str, target: Target, answers: Answers, baselines: Mapping[str, Answers], seed: int) -> Difference:
    """The network's answers against those of the best baseline.

    For one right or wrong answer a row the interval is that of Agresti & Min (2005) for matched pairs, which holds
    for few rows as well; else the percentiles of a paired bootstrap over the rows (Efron & Tibshirani 1993).

    Args:
        part: whose rows.
        target: of the rows.
        answers: of the network, (rows, units).
        baselines: answers of the simple models, (rows, units), by name.
        seed: of the resampling.
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
    """Right (1) or wrong (0) for a class, the share of right labels, or the squared error; shape (rows,)."""
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
