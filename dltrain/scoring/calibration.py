"""Fits a map that makes predicted probabilities match how often they come true, on rows held back from the training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit, softmax
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import KFold, StratifiedKFold

from dltrain.config.tasks import Task
from dltrain.data.targets import Target

BINS = 10
SURE = 1e-7  # a probability is at least so far from 0 and 1
# Rows that a method needs: a temperature is one number, a curve many.
LEAST_ROWS = {"temperature": 30, "isotonic": 200}
FOLDS = 5  # of the rows, to choose a method on rows that it was not fitted on

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """A map of probabilities (rows, units) to others."""

    method: str  # none, temperature or isotonic
    temperature: float = 1.0  # by which the logits are divided
    # For each unit the ascending probabilities and what they become; between them it goes in straight lines
    curves: tuple[tuple[Numbers, Numbers], ...] = ()


def fit(method: str, truth: Target, answers: npt.NDArray[np.floating], seed: int) -> Calibration:
    """Fits a map on predictions (rows, units) for rows that the network did not train on.

    `auto` chooses the method by the log-loss over folds of these rows, which `seed` draws: one over a simpler one if
    its log-loss is lower by more than a standard error of the difference.
    """
    given = np.asarray(answers, np.float64)
    if method != "auto":
        return FITS[method](truth, given)
    choices = ["none", *(name for name, rows in LEAST_ROWS.items() if len(given) >= rows)]
    splitter = (StratifiedKFold if truth.kind.one_class else KFold)(FOLDS, shuffle=True, random_state=seed)
    by_row = {name: np.empty(len(given)) for name in choices}
    for others, held in splitter.split(given, truth.values if truth.kind.one_class else None):
        for name in choices:
            made = applied(truth.kind, FITS[name](truth.take(others), given[others]), given[held])
            by_row[name][held] = log_losses(truth.take(held), made)
    best = "none"
    for name in choices[1:]:
        gain = by_row[best] - by_row[name]
        weights = np.ones(len(gain)) if truth.weights is None else truth.weights
        error = float(np.sqrt(np.average(np.square(gain - truth.mean(gain)), weights=weights) / truth.effective_rows))
        if truth.mean(gain) > error:
            best = name
    return FITS[best](truth, given)


def applied(task: Task, calibration: Calibration, answers: npt.NDArray[np.floating]) -> Numbers:
    """Returns calibrated probabilities (rows, units)."""
    given = np.asarray(answers, np.float64)
    if calibration.method == "temperature":
        return _cooled(task, given, calibration.temperature)
    if calibration.method == "none":
        return given
    made = np.column_stack([np.interp(given[:, unit], *curve) for unit, curve in enumerate(calibration.curves)])
    return made / made.sum(axis=1, keepdims=True) if task.several_classes else made


def _cooled(task: Task, given: Numbers, temperature: float) -> Numbers:
    given = np.clip(given, SURE, 1 - SURE)
    found: Numbers = (
        softmax(np.log(given) / temperature, axis=1) if task.several_classes else expit(logit(given) / temperature)
    )
    return found


def _temperature(truth: Target, given: Numbers) -> Calibration:
    def loss(logarithm: float) -> float:
        return truth.mean(log_losses(truth, _cooled(truth.kind, given, math.exp(logarithm))))

    found = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded")
    return Calibration("temperature", temperature=float(math.exp(found.x)))


def _isotonic(truth: Target, given: Numbers) -> Calibration:
    came_true = _indicators(truth)
    # A probability of 0 or 1 would make one mistake infinitely bad, and the rows cannot show so much.
    least = 1 / (len(given) + 2)
    curves = []
    for unit in range(given.shape[1]):
        curve = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
        curve.fit(given[:, unit], came_true[:, unit], sample_weight=truth.weights)
        curves.append((np.asarray(curve.X_thresholds_, np.float64), np.asarray(curve.y_thresholds_, np.float64)))
    return Calibration("isotonic", curves=tuple(curves))


FITS: dict[str, Callable[[Target, Numbers], Calibration]] = {
    "none": lambda truth, given: Calibration("none"),
    "temperature": _temperature,
    "isotonic": _isotonic,
}


def log_losses(truth: Target, answers: npt.NDArray[np.floating]) -> Numbers:
    """Returns minus the logarithm of the probability of what came true, (rows,); the mean over labels."""
    given = np.clip(np.asarray(answers, np.float64), SURE, 1 - SURE)
    came_true = _indicators(truth)
    if truth.kind.several_classes:
        return np.asarray(-np.log((given * came_true).sum(axis=1)), np.float64)
    found: Numbers = -np.log(np.where(came_true == 1, given, 1 - given)).mean(axis=1)
    return found


def calibration_error(truth: Target, answers: npt.NDArray[np.floating]) -> float:
    """Returns the expected calibration error of predictions (rows, units), as `reliability` bins them."""
    given = np.asarray(answers, np.float64)
    if truth.kind.two_classes:
        given = np.column_stack([1 - given, given])
    return reliability(truth.kind, truth.values.astype(np.int64), given, truth.weights)[3]


def reliability(
    task: Task, truth: npt.NDArray[np.integer], given: Numbers, weights: Numbers | None
) -> tuple[Numbers, Numbers, Numbers, float]:
    """Bins the probability of the second class, of the chosen class, or of all labels together by ten equal widths.

    `truth` holds class numbers (n,) or labels (n, labels), `given` the probability of each class or label. Returns, for
    each bin that has rows, the mean probability, the share for which it came true and the sum of weights; then the mean
    difference of the first two over the rows (Guo et al. 2017).
    """
    if task.two_classes:
        confidence, came_true = given[:, 1], truth == 1
    elif task.labels:
        confidence, came_true = given.ravel(), truth.ravel() == 1
    else:
        confidence, came_true = given.max(axis=1), given.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.ones(len(truth)) if weights is None else weights
    each = np.repeat(counts, len(confidence) // max(1, len(truth)))  # a row counts with each label
    sums = np.asarray(np.bincount(bins, each, BINS), np.float64)
    kept = sums > 0
    means = np.bincount(bins, each * confidence, BINS)[kept] / sums[kept]
    shares = np.bincount(bins, each * came_true, BINS)[kept] / sums[kept]
    error = float(np.sum(sums[kept] * np.abs(means - shares)) / max(sums.sum(), 1e-300))
    return means, shares, sums[kept], error


def _indicators(truth: Target) -> Numbers:
    """Returns what came true as 0 and 1, (rows, units)."""
    if truth.kind.several_classes:
        return np.eye(len(truth.classes))[truth.values.astype(np.int64)]
    return np.asarray(truth.column, np.float64)
