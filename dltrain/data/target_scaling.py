"""Scales a quantity to mean 0 and deviation 1 for the training, after bending a skewed one if asked to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from dltrain.base.errors import ConfigError

Floats = npt.NDArray[np.float64]
# Pairs of a value and its scaled value, both ascending; it is linear between two of them and beyond the outer ones.
Knots = tuple[tuple[float, float], ...]
KNOTS = 33  # at most


def knots_of(values: Floats, bend: str) -> Knots:
    """Returns the knots of a bend, `log` or `quantile`, that is fitted on values of shape (n,).

    `log` takes the logarithm, of 1 more where the least value is 0; `quantile` the normal scores of the ranks (Blom
    1958), which a quantile transformation to a normal distribution gives.

    Raises:
        ConfigError: If a value is below 0 (log), or fewer than three are different.
    """
    different = np.unique(values)
    if len(different) < 3:
        raise ConfigError(
            f"task.target_scaling={bend}: expected three different values of the target, got {len(different)}. "
            "Use task.target_scaling=standard."
        )
    if bend == "log":
        if different[0] < 0:
            raise ConfigError(
                f"task.target_scaling=log: expected no value below 0, got {different[0]:g}. "
                "Use task.target_scaling=quantile."
            )
        more = 1.0 if different[0] == 0 else 0.0
        logs = np.log(values + more)
        scaled = np.linspace(logs.min(), logs.max(), KNOTS)
        return _pairs(np.exp(scaled) - more, (scaled - logs.mean()) / logs.std())
    scores = norm.ppf((rankdata(values) - 0.375) / (len(values) + 0.25))
    known = dict(zip(values, scores, strict=True))
    places = np.unique(np.linspace(0, len(values) - 1, KNOTS).round().astype(int))
    at = np.unique(np.sort(values)[places])
    return _pairs(at, np.array([known[value] for value in at]))


def _pairs(values: Floats, scaled: Floats) -> Knots:
    return tuple(zip(map(float, values), map(float, scaled), strict=True))


def bent(values: Floats, knots: Knots) -> Floats:
    """Returns the scaled values, of any shape."""
    slope, start, hinges = hinges_of(knots)
    found: Floats = slope * values + start
    for sign, place, change in hinges:
        found = found + change * np.maximum(sign * (values - place), 0.0)
    return found


def unbent(knots: Knots) -> Knots:
    """Returns the knots of the way back, from scaled values to values."""
    return tuple((scaled, value) for value, scaled in knots)


def hinges_of(knots: Knots) -> tuple[float, float, list[tuple[float, float, float]]]:
    """Returns the line through the middle, as slope and start, and hinges (sign, place, change) to both sides of it.

    At x they give slope * x + start, plus change * max(sign * (x - place), 0) for each hinge. From the middle outwards
    no large terms cancel, so that 32 bits suffice.
    """
    x, y = np.asarray(knots, np.float64).T
    slopes = np.diff(y) / np.diff(x)
    middle = len(slopes) // 2
    changes = np.diff(slopes)
    hinges = [(1.0 if place >= middle else -1.0, x[place + 1], changes[place]) for place in range(len(changes))]
    return float(slopes[middle]), float(y[middle] - slopes[middle] * x[middle]), hinges
