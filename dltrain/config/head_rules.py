"""What last layer, loss and metrics of a row of the head table must agree on.

Keras broadcasts, clips or ignores what does not fit together: the training then runs and its numbers mean nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from omegaconf import DictConfig

from dltrain.config.task_names import CLASS_TASKS, GAUSSIAN, QUANTITIES

SINGLE_UNIT = ("binary", *QUANTITIES)
ACTIVATIONS = {
    "binary": ("sigmoid", "hard_sigmoid"),
    "multiclass": ("softmax",),
    "multilabel": ("sigmoid", "hard_sigmoid"),
    "unit_regression": ("sigmoid", "hard_sigmoid"),
}
OF_GAUSSIAN = ("dltrain.models.gaussian.LogLikelihood", "dltrain.models.gaussian.GaussianNegativeLogLikelihood")
# Metrics of classes: of a quantity they count which values happen to be equal, or above a half.
OF_CLASSES = ("BinaryAccuracy", "Accuracy", "AUC", "Precision", "Recall", "F1Score", "FBetaScore", "BinaryIoU")


def faults(task: DictConfig) -> Iterator[str]:
    """A sentence for each part of a head that does not fit the others.

    Args:
        task: a row of the head table; of `task=auto` what is given of it.
    """
    yield from _activation(task)
    nodes = {"task.loss": task.get("loss")}
    nodes |= {f"task.metrics.{name}": node for name, node in (task.get("metrics") or {}).items()}
    for key, node in nodes.items():
        target = str((node or {}).get("_target_") or "")
        yield from _shapes(task.name, key, target, target.rpartition(".")[2])
        if (node or {}).get("from_logits"):
            yield f"{key}.from_logits: the last layer gives probabilities, no logits. Leave it out."
    weight = task.get("class_weight")
    if weight is not None and task.name not in (*CLASS_TASKS, "auto"):
        yield f"task.class_weight has no effect with task={task.name}; expected task=binary or task=multiclass."
    elif isinstance(weight, DictConfig):
        yield from _weights(weight)
    elif weight is not None and weight != "balanced":
        yield f"task.class_weight: expected balanced or a weight for each class, got '{weight}'."
    if task.get("monte_carlo_dropout") is not None and task.name != GAUSSIAN:
        yield f"task.monte_carlo_dropout has no effect with task={task.name}; expected task={GAUSSIAN}."
    if task.get("target_scaling") == "standard" and task.name not in ("regression", GAUSSIAN, "auto"):
        yield f"task.target_scaling has no effect with task={task.name}; expected task=regression."


def _activation(task: DictConfig) -> Iterator[str]:
    activation = task.get("activation")
    if "activation" not in task or task.name == "auto":
        return
    if activation == "softmax" and task.name in SINGLE_UNIT:
        yield (
            f"task.activation: softmax over the single unit of task={task.name} is always 1. "
            "Use sigmoid, or task=multiclass."
        )
    elif task.name in ACTIVATIONS and activation not in ACTIVATIONS[task.name]:
        came, expected = activation or "null", " or ".join(ACTIVATIONS[task.name])
        yield f"task.activation: task={task.name} needs values from 0 to 1, expected {expected}, got {came}."
    elif task.name == GAUSSIAN and activation not in (None, "linear"):
        yield f"task.activation: task={GAUSSIAN} makes its own of both units, expected null, got {activation}."
    elif task.name == "regression" and task.get("target_scaling") == "standard" and activation not in (None, "linear"):
        yield (
            f"task.activation: {activation} bounds an answer that has to reach both sides of the mean. "
            "Use null, task.target_scaling=none, or task=unit_regression."
        )


def _shapes(task: str, key: str, target: str, name: str) -> Iterator[str]:
    if not target.startswith("keras.") or task == "auto":
        return
    if task == GAUSSIAN:
        yield (
            f"{key}: {target} knows one number a row, and task={GAUSSIAN} answers with mean and standard deviation. "
            f"Expected one such as {OF_GAUSSIAN[key == 'task.loss']}, or task=regression."
        )
        return
    if task == "multiclass" and not name.startswith("Sparse"):
        yield (
            f"{key}: {target} would compare class numbers with probabilities. Expected one for integer labels, "
            f"such as keras.{'losses' if key == 'task.loss' else 'metrics'}.Sparse{_sparse(key)}."
        )
    if task != "multiclass" and "Categorical" in name:
        yield f"{key}: {target} is for one of several classes; task={task} has none of these. Use task=multiclass."
    if task == "regression" and "Crossentropy" in name and "Categorical" not in name:
        yield f"{key}: {target} needs targets from 0 to 1. Use task=unit_regression, or keras.losses.MeanSquaredError."
    if task in QUANTITIES and name in OF_CLASSES and key != "task.loss":
        yield f"{key}: {target} is for classes, and task={task} predicts a quantity. Use keras.metrics.R2Score."


def _sparse(key: str) -> str:
    return "CategoricalCrossentropy" if key == "task.loss" else "CategoricalAccuracy"


def _weights(weights: DictConfig) -> Iterator[str]:
    if not weights:
        yield "task.class_weight: expected a weight for one class at least, got an empty mapping."
    for name, weight in ((str(name), weight) for name, weight in weights.items()):
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            yield f"task.class_weight.{name}: expected a number of at least 0, got '{weight}'."
    if weights and all(weight == 0 for weight in weights.values()):
        yield "task.class_weight: every given weight is 0, so that nothing would be learned of these classes."
