"""Computes areas under the ROC curve exactly, as rank statistics, of all rows and of resampled rows.

The metric of Keras counts over thresholds, which is coarse where many predictions are close to each other.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dltrain.data.targets import Target

Weights = npt.NDArray[np.integer[Any] | np.float64]
Areas = npt.NDArray[np.float64]


def is_exact(metric: Any, target: Target) -> bool:
    """Returns whether the metric is an area that `areas` computes: ROC, without thresholds of the user's own."""
    if not isinstance(metric, keras.metrics.AUC) or type(metric).result is not keras.metrics.AUC.result:
        return False
    config = metric.get_config()
    return (
        target.kind.zero_or_one
        and (config["curve"], config["summation_method"]) == ("ROC", "interpolation")
        and "thresholds" not in config
        and (config["multi_label"] or config["label_weights"] is None)
    )


def areas(metric: Any, target: Target, answers: npt.NDArray[np.floating[Any]], weights: Weights) -> Areas:
    """Computes the area for each draw, shape (draws,), where `weights` (draws, rows) says how much a row counts in it.

    The labels are averaged or pooled as the metric's `multi_label` says. The area of a label, or a draw, without both
    classes is undefined: such labels are left out of the mean, and such a draw is NaN.
    """
    truth, config = target.column, metric.get_config()
    if not config["multi_label"]:
        return _areas(truth.ravel(), answers.ravel(), np.repeat(weights, truth.shape[1], axis=1))
    found = np.column_stack([_areas(truth[:, label], answers[:, label], weights) for label in range(truth.shape[1])])
    shares = np.ones(truth.shape[1]) if config["label_weights"] is None else np.asarray(config["label_weights"])
    shares = np.where(np.isnan(found), 0.0, shares)
    with np.errstate(invalid="ignore"):
        mean: Areas = (np.nan_to_num(found) * shares).sum(axis=1) / shares.sum(axis=1)
    return mean


def rarest(metric: Any, target: Target) -> int:
    """Returns how many rows the rarer class has: of all labels together, or of the rarest label if it averages them."""
    ones = target.column.sum(axis=0)
    if not getattr(metric, "multi_label", False):
        return int(min(ones.sum(), target.column.size - ones.sum()))
    return int(min(ones.min(), len(target.column) - ones.max()))


def _areas(truth: npt.NDArray[Any], answers: npt.NDArray[np.floating[Any]], weights: Weights) -> Areas:
    """Computes the share of pairs of a one and a zero in which the one has the greater answer; a tie is half a pair."""
    order = np.argsort(answers, kind="stable")
    first_of_ties = np.flatnonzero(np.diff(answers[order], prepend=-np.inf))
    ones, zeros = (
        np.add.reduceat(weights[:, order] * (truth[order] == value), first_of_ties, axis=1, dtype=np.float64)
        for value in (1, 0)
    )
    pairs = ones.sum(axis=1) * zeros.sum(axis=1)
    with np.errstate(invalid="ignore"):
        found: Areas = (ones * (zeros.cumsum(axis=1) - zeros / 2)).sum(axis=1) / pairs
    return found
