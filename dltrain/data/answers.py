"""Turns the outputs of a network into named predictions, probabilities and quantities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from dltrain.config.tasks import Task
from dltrain.data.conformal import Conformal, interval, members
from dltrain.data.dataset import Array

BAR = " | "  # between the classes of a set
THRESHOLD = 0.5  # the second class, or a label, is predicted above this probability


def name_answers(
    task: Task,
    classes: Sequence[str],
    answers: npt.NDArray[np.floating],
    threshold: float,
    conformal: Conformal | None = None,
    quantiles: Sequence[float] = (),
) -> dict[str, Array]:
    """Names the columns of predictions, each of shape (rows,).

    `answers` are the network's outputs, shape (rows, units); `classes` is empty for a quantity. The columns are
    `prediction` with `probability_CLASS` for each class; `prediction_LABEL` with `probability_LABEL` for each label; or
    `prediction` of a quantity, with `standard_deviation` or `quantile_SHARE` if the model predicts those;
    `quantiles` are all of them, the median first. With `conformal` a quantity has
    `prediction_low` and `prediction_high` as well, and a class `prediction_set`, names joined by a bar.
    """
    if task.labels:
        columns: dict[str, Array] = {}
        for place, label in enumerate(classes):
            columns[f"prediction_{label}"] = (answers[:, place] > threshold).astype(np.int64)
            columns[f"probability_{label}"] = answers[:, place]
        return columns
    if task.quantity:
        others = [f"quantile_{share:g}" for share in quantiles[1:]] or ["standard_deviation"]
        columns = dict(zip(("prediction", *others), answers.T, strict=False))
        if conformal is not None:
            columns["prediction_low"], columns["prediction_high"] = interval(task, conformal, answers)
        return columns
    names = np.array(classes, dtype=object)
    if task.two_classes:
        chosen = (answers[:, 0] > threshold).astype(np.int64)
        probabilities = np.column_stack([1 - answers[:, 0], answers[:, 0]])
    else:
        chosen, probabilities = answers.argmax(axis=1), answers
    columns = {"prediction": names[chosen]}
    columns |= {f"probability_{name}": probabilities[:, place] for place, name in enumerate(classes)}
    if conformal is not None:
        sets = members(task, conformal, answers)
        columns["prediction_set"] = np.array([BAR.join(names[each]) for each in sets], dtype=object)
    return columns


def outputs_of(task: Task, classes: Sequence[str], columns: Mapping[str, Array]) -> npt.NDArray[np.float32]:
    """Returns the outputs of a network, shape (rows, units), from the columns that `name_answers` made of them."""
    if task.quantity:
        names = ["prediction", *(["standard_deviation"] if task.deviation else [])]
    else:
        names = [f"probability_{name}" for name in (classes[1:] if task.two_classes else classes)]
    return np.column_stack([np.asarray(columns[name], np.float32) for name in names])
