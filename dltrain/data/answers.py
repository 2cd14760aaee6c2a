"""The model's numbers as answers that a person reads: classes by name, probabilities, amounts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dltrain.config.tasks import Task
from dltrain.data.dataset import Array

THRESHOLD = 0.5  # the probability above which the second class, or a label, is predicted


def name_answers(
    task: Task, classes: Sequence[str], answers: npt.NDArray[np.floating], threshold: float
) -> dict[str, Array]:
    """Columns of predictions, each of shape (rows,).

    Args:
        task: its traits.
        classes: names of the classes, or of the labels; empty for a quantity.
        answers: what the model gave, (rows, units).
        threshold: above it a binary task predicts its second class, and a multilabel one the label.

    Returns:
        `prediction`, then `probability_CLASS` for each class; `prediction_LABEL` and `probability_LABEL` for each
        label; `prediction` for a quantity, with `standard_deviation` where the model gives one.
    """
    if task.labels:
        columns: dict[str, Array] = {}
        for place, label in enumerate(classes):
            columns[f"prediction_{label}"] = (answers[:, place] > threshold).astype(np.int64)
            columns[f"probability_{label}"] = answers[:, place]
        return columns
    if task.quantity:
        return dict(zip(("prediction", "standard_deviation"), answers.T, strict=False))
    names = np.array(classes, dtype=object)
    if task.two_classes:
        chosen = (answers[:, 0] > threshold).astype(np.int64)
        probabilities = np.column_stack([1 - answers[:, 0], answers[:, 0]])
    else:
        chosen, probabilities = answers.argmax(axis=1), answers
    columns = {"prediction": names[chosen]}
    return columns | {f"probability_{name}": probabilities[:, place] for place, name in enumerate(classes)}
