"""Measures how often conformal intervals and sets hold the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from dltrain.data import conformal as conformals
from dltrain.data.conformal import Conformal
from dltrain.data.targets import Target
from dltrain.scoring.significance import CONFIDENCE


def coverage(found: Conformal, truth: Target, answers: npt.NDArray[np.floating[Any]]) -> dict[str, Any]:
    """Returns how many rows have their truth in their interval or set, with the 95 % interval of that share."""
    within = conformals.covered(truth.kind, found, truth.values, answers)
    around = binomtest(int(within.sum()), len(within)).proportion_ci(CONFIDENCE, method="wilson")
    name = "mean_width" if truth.kind.quantity else "mean_classes"
    return {
        "coverage": float(within.mean()),
        "interval": [float(around.low), float(around.high)],
        name: conformals.size(truth.kind, found, answers),
    }
