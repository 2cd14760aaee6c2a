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
    starts, widths, rises, first = segments_of(knots)
    shares = (np.asarray(values)[..., None] - starts) / widths
    inside = np.clip(shares, 0, 1) @ rises
    beyond = rises[0] * np.minimum(shares[..., 0], 0) + rises[-1] * np.maximum(shares[..., -1] - 1, 0)
    found: Floats = first + inside + beyond
    return found


def unbent(knots: Knots) -> Knots:
    """Returns the knots of the way back, from scaled values to values."""
    return tuple((scaled, value) for value, scaled in knots)


def segments_of(knots: Knots) -> tuple[Floats, Floats, Floats, float]:
    """Returns where each segment between two knots starts, its width, its rise, and the value at the first knot.

    At x they give the first value plus the share of each segment, from 0 to 1, that lies below x, times its rise. No
    large terms cancel, so that 32 bits suffice, also where two knots are next to each other.
    """
    x, y = np.asarray(knots, np.float64).T
    return x[:-1], np.diff(x), np.diff(y), float(y[0])
