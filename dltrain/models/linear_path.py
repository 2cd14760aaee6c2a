"""Adds a fitted linear model to the scores of the hidden layers, which learn what it leaves.

A network alone needs many steps for what is simply a sum of columns, and has overfitted the rest by then.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict

from dltrain.models.parts import Head, Inputs

PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)  # of the squared weights, against the sum of the rows' losses
# Of quantities too, whose columns may tell the same but for small differences, which matter, as in a spectrum.
SMALL_PENALTIES = (0.0001, 0.001, 0.01)
ROWS_OF_CHOICE, ROWS_OF_FIT = 2_000, 20_000  # the most rows that choose the penalty, and that the start is fitted on
FOLDS = 3
NAME = "linear_path"
# The hidden layers begin with a small share in the scores: of 0, nothing would reach them at the first step.
FIRST_SHARE = 0.03

Floats = npt.NDArray[np.float64]


def linear_scores(inputs: Inputs, head: Head) -> Any:
    """Returns scores of shape (batch, units), linear in numbers and one-hot categories; None without any.

    Weights of the table are those of the linear or logistic regression of the train rows where the task has one, and
    stay so: trained on, those of a column with outliers would leap. Those of embedded categories start at 0 and are
    trained.
    """
    dtype, parts = keras.config.floatx(), []
    if "table" in inputs:
        layer = keras.layers.Dense(head.units, dtype=dtype, trainable=False, name=NAME)
        parts.append(layer(inputs["table"]))
        layer.set_weights(_start(inputs.train("table"), inputs.train("target"), head))
    for position, (name, count) in enumerate(inputs.categories.items() if "categories" in inputs else ()):
        label = re.sub(r"\W", "_", f"{NAME}_{position}_{name}")
        scores = keras.layers.Embedding(count, head.units, embeddings_initializer="zeros", dtype=dtype, name=label)
        parts.append(scores(inputs["categories"][:, position]))
    return keras.layers.Add(dtype=dtype)(parts) if len(parts) > 1 else (parts or [None])[0]


def first_share() -> keras.initializers.Initializer:
    """Returns the initializer of the head beside a linear path."""
    return keras.initializers.VarianceScaling(FIRST_SHARE**2, "fan_in")


def answer_bounds(inputs: Inputs, *, beyond: bool) -> tuple[float, float]:
    """Returns the range of the train targets, of shape (n, 1).

    `beyond` widens it by its width at each end behind which a linear regression goes on well: where its answers for
    rows that it was not fitted on leave the range of the targets that it was fitted on, they are nearer to the truth
    than the end of the range. A sum of columns goes on so, an amount that cannot be negative does not.
    """
    target = inputs.train("target")[:, 0].astype(np.float64)
    low, high = float(target.min()), float(target.max())
    if not beyond or "table" not in inputs or len(target) < 2 * FOLDS:
        return low, high
    rows = evenly(len(target), ROWS_OF_CHOICE)
    features, truth = _standard(inputs.train("table")[rows].astype(np.float64))[0], target[rows]
    gains = {"low": 0.0, "high": 0.0}  # squared error that the ends of the range would add
    penalty = fit_penalized(Ridge(), "alpha", features, truth / (truth.std() or 1.0)).alpha
    for fitted, held in KFold(FOLDS, shuffle=True, random_state=0).split(features):
        answers = Ridge(penalty).fit(features[fitted], truth[fitted]).predict(features[held])
        for end, bounded in (
            ("low", np.maximum(answers, truth[fitted].min())),
            ("high", np.minimum(answers, truth[fitted].max())),
        ):
            gains[end] += float(np.sum(np.square(bounded - truth[held]) - np.square(answers - truth[held])))
    return low - (high - low) * (gains["low"] > 0), high + (high - low) * (gains["high"] > 0)


def _standard(features: Floats) -> tuple[Floats, Floats, Floats]:
    """Returns features (n, width) with mean 0 and deviation 1, for the penalty and to converge, and what they had."""
    middle, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 1e-6, spread, 1.0)
    return (features - middle) / spread, middle, spread


def _start(table: npt.NDArray[Any], target: npt.NDArray[Any], head: Head) -> list[Floats]:
    """Returns kernel (width, units) and bias (units,) fitted on features (n, width) and targets (n, units)."""
    kernel, bias = np.zeros((table.shape[1], head.units)), np.zeros(head.units)
    rows = evenly(len(table), ROWS_OF_FIT)
    features, truth = table[rows].astype(np.float64), target[rows].astype(np.float64)
    features, middle, spread = _standard(features)
    task = head.kind
    if not task.quantity:
        # Of several classes one is true; labels are fitted one by one.
        columns = [truth.argmax(axis=1)] if task.several_classes else list(truth.T)
        for place, numbers in enumerate(columns):
            classes = np.unique(numbers).astype(int)
            if len(classes) > 1:
                units = classes if task.several_classes else [place]
                if task.several_classes and len(classes) == 2:
                    units = classes[1:]  # the score of the second against the first
                fitted = fit_penalized(LogisticRegression(max_iter=300), "C", features, numbers)
                kernel[:, units], bias[units] = fitted.coef_.T, fitted.intercept_
    elif not (task.bounded or task.deviation):  # of quantiles, the median is the first unit
        fitted = fit_penalized(Ridge(), "alpha", features, head.scaled(truth[:, 0]))
        kernel[:, 0], bias[0] = fitted.coef_, fitted.intercept_
    kernel /= spread[:, None]
    return [rounded(kernel), rounded(bias - middle @ kernel)]


def fit_penalized(model: Any, name: str, features: Floats, truth: npt.NDArray[Any]) -> Any:
    """Fits a model with the strongest penalty whose loss in folds is not clearly above the least one.

    The network goes on from here on the same rows; the less they are fitted, the more there is to learn for it.
    """
    rows = evenly(len(features), ROWS_OF_CHOICE)
    some, wanted = features[rows], truth[rows]
    labels = name == "C"
    penalties = PENALTIES if labels else (*SMALL_PENALTIES, *PENALTIES)
    folds = (StratifiedKFold if labels else KFold)(FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged, badly conditioned, or a class with fewer rows than folds
        losses = []
        for penalty in penalties if len(rows) >= 2 * FOLDS else ():
            model.set_params(**{name: 1 / penalty if labels else penalty})
            answers = cross_val_predict(model, some, wanted, cv=folds, method="predict_proba" if labels else "predict")
            if labels:
                true = answers[np.arange(len(answers)), np.searchsorted(np.unique(wanted), wanted)]
                losses.append(-np.log(np.clip(true, 1e-7, None)))
            else:
                losses.append(np.square(answers - wanted))
        if losses:
            penalty = penalties[strongest_penalty(np.stack(losses, axis=1))]
            model.set_params(**{name: 1 / penalty if labels else penalty})
        return model.fit(features, truth)


def strongest_penalty(losses: Floats) -> int:
    """Returns the last of the settings whose mean loss is within a standard error, paired by row, of the least.

    `losses` has shape (n, settings).
    """
    more = losses - losses[:, [losses.mean(axis=0).argmin()]]
    return int(np.flatnonzero(more.mean(axis=0) <= more.std(axis=0) / np.sqrt(len(losses)))[-1])


def evenly(rows: int, most: int) -> npt.NDArray[np.intp]:
    """Returns the positions of at most `most` rows, evenly spaced."""
    return np.unique(np.linspace(0, rows - 1, min(most, rows)).astype(np.intp))


def rounded(values: Floats) -> Floats:
    """Keeps four digits, which are the same whatever the number of threads is."""
    unit = 10.0 ** (np.floor(np.log10(np.maximum(np.abs(values), 1e-30))) - 3)
    return np.round(values / unit) * unit
