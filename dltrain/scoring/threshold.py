"""Chooses the probability above which the second of two classes is predicted, on rows held back from the training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


def choose(
    criterion: str,
    truth: npt.NDArray[np.floating],
    probability: npt.NDArray[np.floating],
    weights: Numbers | None,
    *,
    false_positive_cost: float = 1.0,
    false_negative_cost: float = 1.0,
) -> float:
    """Returns the best threshold for truths of 0 and 1 and probabilities, each (rows,).

    `criterion` is f1 (highest), balanced_accuracy (highest) or cost (lowest sum over the rows). Of the thresholds that
    are equally good, it is the middle of the widest span between two probabilities.
    """
    given = np.asarray(probability, np.float64)
    different = np.unique(given)
    # The last rows below each threshold: none, those of the lowest probability, and so on.
    middles = np.concatenate([[different[0] / 2], (different[1:] + different[:-1]) / 2, [(different[-1] + 1) / 2]])
    spans = np.concatenate([[different[0]], np.diff(different), [1 - different[-1]]])
    counts = np.ones(len(given)) if weights is None else np.asarray(weights, np.float64)
    place = np.searchsorted(different, given)
    positive = np.bincount(place, counts * (truth == 1), len(different))
    negative = np.bincount(place, counts * (truth != 1), len(different))
    missed = np.concatenate([[0.0], np.cumsum(positive)])
    alarms = negative.sum() - np.concatenate([[0.0], np.cumsum(negative)])
    found = positive.sum() - missed
    with np.errstate(invalid="ignore", divide="ignore"):
        gains = {
            "f1": 2 * found / (2 * found + missed + alarms),
            "balanced_accuracy": found / positive.sum() - alarms / negative.sum(),
            "cost": -(false_positive_cost * alarms + false_negative_cost * missed),
        }[criterion]
    gains = np.nan_to_num(gains, nan=-np.inf)
    if not spans[0]:  # no threshold of at least 0 lies below a probability of 0
        gains[0] = -np.inf
    best = np.flatnonzero(gains >= gains.max() - 1e-12)
    return float(middles[best[spans[best].argmax()]])
