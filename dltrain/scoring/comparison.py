"""Computes by how much the network beats the best baseline on the same rows, and how certain that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap, norm

from dltrain.base.plain_table import digits
from dltrain.config.tasks import TASKS
from dltrain.data.answers import THRESHOLD
from dltrain.data.targets import Target
from dltrain.scoring.significance import CONFIDENCE, corrected_t

Answers = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.float64]
Scores = Mapping[str, float]

LEAST_ROWS = 10  # with fewer, or fewer of a class that an area or recall is of, an interval is meaningless
RESAMPLED_AT_ONCE = 5_000_000
ERRORS = {task.row_measure for task in TASKS.values() if task.quantity}


@dataclass(frozen=True)
class Difference:
    """The network against the best baseline on the same rows."""

    part: str
    metric: str  # accuracy for classes and labels, rmse for quantities, pinball for quantiles
    baseline: str  # the best baseline in this metric on this part
    value: float  # by how much the network is better, in the unit of the metric; below 0 if it is worse
    # The 95 % interval of `value`, without repetitions for this split and seed alone; None where there is none
    interval: tuple[float, float] | None
    area: Difference | None = None  # by the area under the ROC curve, where the task of two classes measures it
    repeats: int = 0  # if above 0, `value` is a mean over so many repetitions and `part` names these: folds or seeds

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Difference:
        """Returns the difference of the entry `difference` of metrics.json."""
        area = entry.get("area")
        return cls(**{**entry, "area": area and cls.of(area)})

    @property
    def standing(self) -> Literal["ahead", "behind", "noise", "unknown"]:
        """Where the whole interval lies: above 0, below 0, on both sides; unknown without an interval."""
        if self.interval is None:
            return "unknown"
        return "ahead" if self.interval[0] > 0 else "behind" if self.interval[1] < 0 else "noise"

    @property
    def standings(self) -> set[str]:
        """The standings by both measures."""
        return {self.standing} | ({self.area.standing} if self.area else set())

    @property
    def beats(self) -> bool:
        """Whether the network is ahead by one of the measures and behind by none."""
        return "ahead" in self.standings and "behind" not in self.standings

    def sentence(self) -> str:
        """Returns the sentence shown at the end of a run, with the area where that tells something else."""
        said = self._clause(f" over {self.repeats} {self.part}" if self.repeats else f" on {self.part}")
        if self.area is None or self.area.standing in (self.standing, "unknown"):
            return said
        return f"{said}, but {self.area._clause('')}"

    def _clause(self, place: str) -> str:
        if self.interval is None:
            gain = f"{digits(self._change(self.value), sign='+')} {self.metric}"
            few = "no interval can be told from these" if self.repeats else "too few rows to say how sure that is"
            return f"has {gain} against {self.baseline}{place}: {few}"
        low, high = self.interval
        if self.standing == "noise":
            low, high = sorted(map(self._change, self.interval))
            change = f"{digits(self._change(self.value), sign='+')} {self.metric} ({digits(low)} to {digits(high)})"
            return f"is within noise of {self.baseline}{place}: {change}"
        verb = "beats"
        if self.standing == "behind":
            verb, low, high = "falls behind", -high, -low
        lead = f"{digits(abs(self.value))} {self.metric} ({digits(low)} to {digits(high)})"
        return f"{verb} {self.baseline} by {lead}{place}"

    def _change(self, gain: float) -> float:
        """Returns the difference of the metric itself, as `dltrain compare` tells it, of a gain; of an error less."""
        return 0.0 - gain if self.metric in ERRORS else gain


def resamples(rows: int) -> int:
    """Returns how often `rows` rows are resampled for an interval."""
    return 1_000 if rows <= 5_000 else 200


def compare(
    part: str,
    target: Target,
    answers: Answers,
    baselines: Mapping[str, Answers],
    seed: int,
    *,
    area: str | None = None,
    threshold: float = THRESHOLD,
) -> Difference:
    """Compares the network's predictions (rows, units) with those of the best baseline.

    `threshold` is the probability above which the network predicts the second class; `area` is the name of the area
    under the ROC curve if that of two classes is compared too.

    For one class a row the interval is that of Agresti & Min (2005) for matched pairs, which holds for few rows as
    well; else it is a percentile interval of a paired bootstrap over the rows (Efron & Tibshirani 1993), drawn by
    `seed`.
    """
    found = {name: _by_row(target, given) for name, given in baselines.items()}
    mine = _by_row(target, answers, threshold)
    best = (max if target.classes else min)(found, key=lambda name: target.mean(found[name]))
    value = float(_gain(target, target.mean(mine), target.mean(found[best])))
    interval = None
    if len(mine) >= LEAST_ROWS:
        exact = target.kind.one_class
        interval = _matched_pairs(target, mine, found[best]) if exact else _resampled(target, mine, found[best], seed)
    found_area = None
    if area and target.kind.two_classes and 0 < target.values.sum() < len(target.values):
        found_area = _compare_areas(part, area, target, answers, baselines)
    return Difference(part, target.kind.row_measure, best, value, interval, found_area)


def _compare_areas(
    part: str, name: str, target: Target, answers: Answers, baselines: Mapping[str, Answers]
) -> Difference:
    """Compares the areas of the network and of the best baseline, with the interval of DeLong et al. (1988)."""
    ones, zeros = (target.take(np.flatnonzero(target.values == value)) for value in (1, 0))
    mine = _placements(target, answers)
    found = {each: _placements(target, given) for each, given in baselines.items()}
    best = max(found, key=lambda each: ones.mean(found[each][0]))
    of_ones, of_zeros = (one - other for one, other in zip(mine, found[best], strict=True))
    value, interval = ones.mean(of_ones), None
    if min(len(of_ones), len(of_zeros)) >= LEAST_ROWS:
        variance = _variance_of_mean(ones, of_ones) + _variance_of_mean(zeros, of_zeros)
        half = norm.ppf(0.5 + CONFIDENCE / 2) * math.sqrt(variance)
        if half > 1e-12:  # else no pair of rows is ordered otherwise than another, which tells nothing of certainty
            interval = (max(value - half, -1.0), min(value + half, 1.0))
    return Difference(part, name, best, value, interval)


def _placements(target: Target, answers: Answers) -> tuple[Rows, Rows]:
    """Returns for each one the share of zeros below it, and for each zero the share of ones above it; a tie is half."""
    ones, given = target.values == 1, np.asarray(answers, np.float64)[:, 0]
    weights = np.ones(len(given)) if target.weights is None else target.weights
    return (
        _share_below(given[ones], given[~ones], weights[~ones]),
        1 - _share_below(given[~ones], given[ones], weights[ones]),
    )


def _share_below(values: Rows, others: Rows, weights: Rows) -> Rows:
    """Returns the share of the others' weight that is below each value, shape of `values`."""
    order = np.argsort(others)
    up_to = np.concatenate([[0.0], np.cumsum(weights[order])])
    low, high = (up_to[np.searchsorted(others[order], values, side=side)] for side in ("left", "right"))
    shares: Rows = (low + high) / 2 / up_to[-1]
    return shares


def _variance_of_mean(target: Target, by_row: Rows) -> float:
    """Returns the variance of the mean over the rows; `by_row` has the shape (rows,)."""
    rows, weights = len(by_row), target.relative_weights
    if weights is None:
        return float(by_row.var(ddof=1) / rows)
    return float(np.square(weights * (by_row - target.mean(by_row))).sum() / (rows * (rows - 1)))


def compare_repetitions(
    what: str,
    target: Target,
    scores: Sequence[Scores],
    baselines: Sequence[Mapping[str, Scores]],
    *,
    ratio: float,
    area: str | None = None,
) -> Difference | None:
    """Compares the mean score over folds or seeds with that of the baseline that is best on the whole.

    `scores` and `baselines` hold the metrics of each repetition, `what` says what these are, and `ratio` is the number
    of scored rows for each row to train on. `area` is as in `compare`. The interval is that of the corrected resampled
    t test. Returns None if the measure of the task is not among the scores of every repetition.
    """
    found = _mean_gain(what, target.kind.row_measure, scores, baselines, ratio)
    if found is None or area is None or not target.kind.two_classes:
        return found
    return replace(found, area=_mean_gain(what, area, scores, baselines, ratio))


def _mean_gain(
    what: str, metric: str, scores: Sequence[Scores], baselines: Sequence[Mapping[str, Scores]], ratio: float
) -> Difference | None:
    mine = [each.get(metric, math.nan) for each in scores]
    others = {name: [each[name].get(metric, math.nan) for each in baselines] for name in baselines[0]}
    if not np.isfinite([mine, *others.values()]).all():
        return None
    sign = -1.0 if metric in ERRORS else 1.0
    best = max(others, key=lambda name: sign * sum(others[name]))
    gains = sign * (np.asarray(mine) - np.asarray(others[best]))
    interval = None
    if len(gains) > 1 and np.ptp(gains) > 0:
        interval = corrected_t([0.0] * len(gains), gains.tolist(), ratio).interval
    if interval is not None and metric not in ERRORS:  # shares and areas lie between 0 and 1
        interval = (max(interval[0], -1.0), min(interval[1], 1.0))
    return Difference(what, metric, best, float(gains.mean()), interval, repeats=len(gains))


def _by_row(target: Target, answers: Answers, threshold: float = THRESHOLD) -> Rows:
    """Returns 1 or 0 for a right or wrong class, the share of right labels, or the error to average; shape (rows,)."""
    given, truth = np.asarray(answers, np.float64), target.column.astype(np.float64)
    if target.kind.several_classes:
        return np.asarray(given.argmax(axis=1) == truth[:, 0], np.float64)
    if target.classes:
        return np.asarray(((given > threshold) == truth).mean(axis=1), np.float64)
    if target.quantiles:
        shares = np.asarray(target.quantiles)
        above = truth - given
        return np.asarray(np.maximum(shares * above, (shares - 1) * above).mean(axis=1), np.float64)
    return np.asarray(np.square(given - truth)[:, 0], np.float64)


def _gain(target: Target, mine: Any, other: Any) -> Any:
    """Returns by how much a mean over rows is better than another one, in the unit of the measure."""
    if target.classes:
        return mine - other
    return other - mine if target.quantiles else np.sqrt(other) - np.sqrt(mine)


def _matched_pairs(target: Target, mine: Rows, other: Rows) -> tuple[float, float]:
    counted = target.effective_rows
    rows = counted + 2
    won, lost = (round(target.mean(each) * counted, 6) + 0.5 for each in (mine > other, mine < other))
    middle = (won - lost) / rows
    half = norm.ppf(0.5 + CONFIDENCE / 2) * math.sqrt(won + lost - rows * middle**2) / rows
    return float(max(middle - half, -1.0)), float(min(middle + half, 1.0))


def _resampled(target: Target, mine: Rows, other: Rows, seed: int) -> tuple[float, float]:
    def gain(mine: Rows, other: Rows, weights: Rows | None = None, axis: int = -1) -> Any:
        one, two = (np.average(each, axis=axis, weights=weights) for each in (mine, other))
        return _gain(target, one, two)

    found = bootstrap(
        (mine, other) if target.weights is None else (mine, other, target.weights),
        gain,
        paired=True,
        n_resamples=resamples(len(mine)),
        batch=max(1, RESAMPLED_AT_ONCE // len(mine)),
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)
