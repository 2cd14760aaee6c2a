"""Computes the spread of scores over repetitions, and whether paired scores differ by more than noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

CONFIDENCE = 0.95
SEED = 0  # of the resampling, so that the same two runs give the same interval

Values = npt.NDArray[np.float64]


def spread(scores: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Returns `mean` and `sd` (of the sample) of each metric over the repetitions in which it is defined."""
    values = {name: _defined(scores, name) for name in scores[0]}
    return {
        "mean": {name: float(np.mean(found)) if len(found) else float("nan") for name, found in values.items()},
        "sd": {
            name: float(np.std(found, ddof=1)) if len(found) > 1 else float("nan") for name, found in values.items()
        },
    }


def mean_intervals(
    scores: Sequence[Mapping[str, float]], bounds: Mapping[str, tuple[float, float]] | None = None
) -> dict[str, tuple[float, float]]:
    """Returns the 95 % interval of each metric's mean by Student's t, for independent repetitions that vary.

    `bounds` gives the least and the greatest value that a metric can have, which its interval is cut to.
    """
    intervals = {}
    for name in scores[0]:
        found = _defined(scores, name)
        if len(found) > 1 and min(found) < max(found):
            half = float(
                stats.t.ppf(0.5 + CONFIDENCE / 2, len(found) - 1) * np.std(found, ddof=1) / np.sqrt(len(found))
            )
            least, greatest = (bounds or {}).get(name, (-math.inf, math.inf))
            intervals[name] = (max(float(np.mean(found)) - half, least), min(float(np.mean(found)) + half, greatest))
    return intervals


def _defined(scores: Sequence[Mapping[str, float]], name: str) -> list[float]:
    return [score[name] for score in scores if np.isfinite(score[name])]


@dataclass(frozen=True)
class Test:
    """The result of a test."""

    name: str
    pairs: int  # the number of pairs of scores
    difference: float  # the second minus the first
    p_value: float | None  # two-sided; None where the pairs do not vary, so that nothing can be judged
    interval: tuple[float, float] | None = None  # the 95 % interval of the difference, or None
    note: str = ""


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> Test:
    """Compares two classifiers, right or wrong on the same rows, by McNemar's exact test (McNemar 1947)."""
    only_first = sum(one and not two for one, two in zip(first, second, strict=True))
    only_second = sum(two and not one for one, two in zip(first, second, strict=True))
    split = only_first + only_second
    name, difference = "McNemar's exact test", (only_second - only_first) / len(first)
    if not split:
        return Test(name, len(first), difference, None, note="both are right on the same rows")
    note = f"only the first is right on {only_first:,} rows, only the second on {only_second:,}"
    return Test(name, len(first), difference, float(stats.binomtest(only_first, split).pvalue), note=note)


def paired_bootstrap(
    first: Sequence[float], second: Sequence[float], *, root: bool = False, weights: Sequence[float] | None = None
) -> Test:
    """Compares two means over the same rows by a bootstrap of pairs (Efron & Tibshirani 1993).

    With `root`, the square roots of the means are compared; of squared errors this is the rmse. With `weights`, the
    means are weighted, and each row is drawn together with its weight.
    """
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    rows, counts = len(one), np.ones(len(one)) if weights is None else np.asarray(weights, np.float64)
    if note := _degenerate(one, two):
        return Test("paired bootstrap", rows, _difference(one, two, counts, root), None, note=note)
    generator = np.random.default_rng(SEED)
    draws = 10_000 if rows <= 2_000 else 2_000 if rows <= 50_000 else 200
    differences = np.empty(draws)
    for number in range(draws):
        drawn = generator.integers(0, rows, rows)
        differences[number] = _difference(one[drawn], two[drawn], counts[drawn], root)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(differences, [tail, 100 - tail])
    beyond = min(np.sum(differences <= 0), np.sum(differences >= 0))
    p_value = min(1.0, 2 * (float(beyond) + 1) / (draws + 1))
    return Test("paired bootstrap", rows, _difference(one, two, counts, root), p_value, (float(low), float(high)))


def _degenerate(one: Values, two: Values) -> str:
    """Returns why pairs of scores allow no test, or nothing if they do.

    Without spread a statistic over it is infinite, or zero over zero, whatever the number of pairs.
    """
    differences = two - one
    rounding = 1e-12 * max(float(np.abs(one).max()), float(np.abs(two).max()))
    if np.ptp(differences) > rounding:
        return ""
    equal = abs(float(differences.mean())) <= rounding
    return "the scores are equal in every pair" if equal else "the difference is the same in every pair"


def _difference(one: Values, two: Values, counts: Values, root: bool) -> float:
    before, after = (float(values @ counts) / float(counts.sum()) for values in (one, two))
    return math.sqrt(after) - math.sqrt(before) if root else after - before


def corrected_t(first: Sequence[float], second: Sequence[float], ratio: float) -> Test:
    """Compares scores of the same folds by the resampled t test, corrected for overlap (Nadeau & Bengio 2003).

    There are at least two folds; `ratio` is the number of scored rows for each train row, 1 / (folds - 1) for k folds.
    """
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    differences, name = two - one, "corrected resampled t test"
    folds, mean = len(differences), float(differences.mean())
    if note := _degenerate(one, two):
        return Test(name, folds, mean, None, note=note)
    error = math.sqrt((1 / folds + ratio) * float(differences.var(ddof=1)))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, folds - 1)) * error
    p_value = float(2 * stats.t.sf(abs(mean) / error, folds - 1))
    return Test(name, folds, mean, p_value, (mean - reach, mean + reach))


def wilcoxon(first: Sequence[float], second: Sequence[float]) -> Test:
    """Compares pairs of scores, such as those of seeds, by Wilcoxon's signed-rank test (Wilcoxon 1945)."""
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    differences, name = two - one, "Wilcoxon's signed-rank test"
    count, mean = len(differences), float(differences.mean())
    if note := _degenerate(one, two):
        return Test(name, count, mean, None, note=note)
    smallest = 2.0 ** (1 - count)
    note = f"with {count} pairs the p value cannot fall below {smallest:.3g}" if smallest > 1 - CONFIDENCE else ""
    return Test(name, count, mean, float(stats.wilcoxon(differences).pvalue), note=note)


def holm(p_values: Sequence[float]) -> list[float]:
    """Corrects the p values of several comparisons for their number (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected
