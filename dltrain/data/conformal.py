"""Gives each prediction an interval or a set of classes that holds the truth as often as asked (split conformal).

The guarantee is for rows that come from where the calibrating ones do (Vovk et al. 2005; Lei et al. 2018): at least the
share asked for, over draws of both. Classes are those of Sadinle, Lei & Wasserman (2019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.config.tasks import Task

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Conformal:
    """How wide the intervals, or how large the sets, of predictions are."""

    level: float  # the share of rows that shall hold their truth
    # The width to either side of a quantity (in standard deviations if the model predicts one), or how far below 1 the
    # probability of a class may be
    quantile: float
    rows: int  # those that calibrated

    @classmethod
    def of_json(cls, entry: Mapping[str, Any] | None) -> Conformal | None:
        """Reads an entry of signature.json."""
        return None if entry is None else cls(**entry)

    def as_json(self) -> dict[str, Any]:
        """Returns the entry of signature.json."""
        return asdict(self)


def rows_needed(level: float) -> int:
    """Returns the number of calibrating rows below which no finite quantile holds a level."""
    return math.ceil(round(level / (1 - level), 9))


def fit(task: Task, level: float, truth: npt.NDArray[Any], answers: npt.NDArray[np.floating]) -> Conformal:
    """Fits on predictions (rows, units) for rows that the network did not train on; there are `rows_needed`.

    The quantile is the ceil((n + 1) level)-th smallest of the n scores.
    """
    found = np.sort(_scores(task, truth, np.asarray(answers, np.float64)))
    rank = math.ceil(round((len(found) + 1) * level, 9))
    return Conformal(level, float(found[rank - 1]), len(found))


def interval(task: Task, conformal: Conformal, answers: npt.NDArray[np.floating]) -> tuple[Numbers, Numbers]:
    """Returns the lower and the upper end, each (rows,), around predictions of a quantity (rows, units)."""
    given = np.asarray(answers, np.float64)
    half = conformal.quantile * (given[:, 1] if task.deviation else 1.0)
    if task.quantiles:  # the quantiles themselves, moved apart or together, but not past the median
        low, high = given.min(axis=1) - half, given.max(axis=1) + half
        return np.minimum(low, given[:, 0]), np.maximum(high, given[:, 0])
    return given[:, 0] - half, given[:, 0] + half


def members(task: Task, conformal: Conformal, answers: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Marks the classes in the set of each row, (rows, classes); the most probable one is always in it."""
    given = probabilities(task, answers)
    within = 1 - given <= conformal.quantile
    within[np.arange(len(given)), given.argmax(axis=1)] = True
    return within


def covered(
    task: Task, conformal: Conformal, truth: npt.NDArray[Any], answers: npt.NDArray[np.floating]
) -> npt.NDArray[np.bool_]:
    """Marks the rows whose truth is in their interval or set, (rows,)."""
    if task.quantity:
        low, high = interval(task, conformal, answers)
        return (low <= truth) & (truth <= high)
    return members(task, conformal, answers)[np.arange(len(truth)), truth.astype(np.int64)]


def size(task: Task, conformal: Conformal, answers: npt.NDArray[np.floating]) -> float:
    """Returns the mean width of the intervals, or the mean number of classes in a set."""
    if task.quantity:
        low, high = interval(task, conformal, answers)
        return float(np.mean(high - low))
    return float(members(task, conformal, answers).sum(axis=1).mean())


def probabilities(task: Task, answers: npt.NDArray[np.floating]) -> Numbers:
    """Returns the probability of each class, (rows, classes), from outputs (rows, units)."""
    given = np.asarray(answers, np.float64)
    return np.column_stack([1 - given[:, 0], given[:, 0]]) if task.two_classes else given


def _scores(task: Task, truth: npt.NDArray[Any], answers: Numbers) -> Numbers:
    """Returns how strange each row's truth is to its prediction, (rows,)."""
    if task.quantity:
        if task.quantiles:  # of Romano, Patterson & Candes (2019)
            return np.asarray(np.maximum(answers.min(axis=1) - truth, truth - answers.max(axis=1)), np.float64)
        away = np.abs(np.asarray(truth, np.float64) - answers[:, 0])
        return away / answers[:, 1] if task.deviation else away
    return 1 - probabilities(task, answers)[np.arange(len(truth)), truth.astype(np.int64)]
