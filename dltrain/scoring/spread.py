"""Computes mean, standard deviation and interval of metrics over repetitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from dltrain.scoring.comparison import CONFIDENCE


def spread(scores: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Returns `mean` and `sd` (of the sample) of each metric over the repetitions in which it is defined."""
    values = {name: _defined(scores, name) for name in scores[0]}
    return {
        "mean": {name: float(np.mean(found)) if len(found) else float("nan") for name, found in values.items()},
        "sd": {
            name: float(np.std(found, ddof=1)) if len(found) > 1 else float("nan") for name, found in values.items()
        },
    }


def mean_intervals(scores: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """Returns the 95 % interval of each metric's mean by Student's t, for independent repetitions."""
    intervals = {}
    for name in scores[0]:
        found = _defined(scores, name)
        if len(found) > 1:
            half = float(
                stats.t.ppf(0.5 + CONFIDENCE / 2, len(found) - 1) * np.std(found, ddof=1) / np.sqrt(len(found))
            )
            intervals[name] = (float(np.mean(found)) - half, float(np.mean(found)) + half)
    return intervals


def _defined(scores: Sequence[Mapping[str, float]], name: str) -> list[float]:
    return [score[name] for score in scores if np.isfinite(score[name])]
