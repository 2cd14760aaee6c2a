"""Checks that last layer, loss and metrics of a row of the head table fit each other.

Keras broadcasts, clips or ignores what does not fit: the training then runs, and its numbers mean nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from omegaconf import DictConfig

from dltrain.config.metric_traits import KERAS, MetricTraits
from dltrain.config.tasks import TASKS, Task

OF_VALUES = ("keras.metrics.Mean", "keras.metrics.Sum", "keras.metrics.Metric")


def faults(task: DictConfig) -> Iterator[str]:
    """Yields a sentence for each part of a row of the head table that does not fit the others."""
    kind = TASKS.get(task.name)
    if kind is not None and "activation" in task:
        yield from _activation(task, kind)
    nodes = {"task.loss": task.get("loss")}
    nodes |= {f"task.metrics.{name}": node for name, node in (task.get("metrics") or {}).items()}
    for key, node in nodes.items():
        target = str((node or {}).get("_target_") or "")
        if kind is not None and target.startswith("keras."):
            yield from _shapes(kind, key, target, target.rpartition(".")[2])
        if target in OF_VALUES:
            yield f"{key}: {target} averages values and compares none. Expected a metric of targets and predictions."
        if (node or {}).get("from_logits"):
            yield f"{key}.from_logits: the last layer gives probabilities, no logits. Leave it out."
    weight = task.get("class_weight")
    if weight is not None and kind is not None and not kind.one_class:
        yield f"task.class_weight has no effect with task={task.name}; expected task=binary or task=multiclass."
    elif isinstance(weight, DictConfig):
        yield from _weights(weight)
    elif weight is not None and weight != "balanced":
        yield f"task.class_weight: expected balanced or a weight for each class, got '{weight}'."
    if task.get("monte_carlo_dropout") is not None and not (kind and kind.deviation):
        yield f"task.monte_carlo_dropout has no effect with task={task.name}; expected task=gaussian_regression."
    quantiles = task.get("quantiles")
    if quantiles is not None and not (kind and kind.quantiles):
        yield f"task.quantiles has no effect with task={task.name}; expected task=quantile_regression."
    elif kind is not None and kind.quantiles:
        given = list(quantiles or [])
        fine = given and all(0 < one < 1 and one != 0.5 for one in given) and given == sorted(set(given))
        if not fine:
            yield (
                "task.quantiles: expected ascending shares between 0 and 1 without 0.5, the median, which is always "
                f"predicted, such as [0.1,0.9]; got {given}."
            )
    scaling = task.get("target_scaling") or "none"
    if scaling != "none" and kind is not None and not kind.unbounded:
        yield f"task.target_scaling has no effect with task={task.name}; expected task=regression."
    elif scaling not in ("standard", "none") and kind is not None and kind.deviation:
        yield (
            f"task.target_scaling={scaling}: the deviation of task={task.name} is in the target's own unit. "
            "Use standard, or task=quantile_regression."
        )


def _activation(task: DictConfig, kind: Task) -> Iterator[str]:
    activation = task.get("activation")
    if activation == "softmax" and kind.units == 1:
        yield (
            f"task.activation: softmax over the single unit of task={task.name} is always 1. "
            "Use sigmoid, or task=multiclass."
        )
    elif kind.activations and activation not in kind.activations:
        came, expected = activation or "null", " or ".join(kind.activations)
        yield f"task.activation: task={task.name} needs values from 0 to 1, expected {expected}, got {came}."
    elif (kind.deviation or kind.quantiles) and activation not in (None, "linear"):
        yield f"task.activation: task={task.name} makes its own of the units, expected null, got {activation}."
    elif kind.unbounded and (task.get("target_scaling") or "none") != "none" and activation not in (None, "linear"):
        yield (
            f"task.activation: {activation} bounds an answer that has to reach both sides of the mean. "
            "Use null, task.target_scaling=none, or task=unit_regression."
        )


def _shapes(task: Task, key: str, target: str, name: str) -> Iterator[str]:
    if task.deviation or task.quantiles:
        metric, answer = (
            ("Pinball", "quantiles") if task.quantiles else ("LogLikelihood", "mean and standard deviation")
        )
        yield (
            f"{key}: {target} knows one number a row, and task={task.name} answers with {answer}. "
            f"Expected one such as {task.loss if key == 'task.loss' else metric} in "
            f"conf/task/{task.name}.yaml, or task=regression."
        )
        return
    if task.several_classes and not name.startswith("Sparse"):
        sparse = f"losses.{task.loss}" if key == "task.loss" else "metrics.SparseCategoricalAccuracy"
        yield (
            f"{key}: {target} would compare class numbers with probabilities. Expected one for integer labels, "
            f"such as keras.{sparse}."
        )
    if not task.several_classes and "Categorical" in name:
        yield f"{key}: {target} is for one of several classes; task={task.name} has none of these. Use task=multiclass."
    elif task.unbounded and "Crossentropy" in name:
        yield f"{key}: {target} needs targets from 0 to 1. Use task=unit_regression, or keras.losses.MeanSquaredError."
    elif task.quantity and KERAS.get(name, MetricTraits()).of_classes and key != "task.loss":
        # Such a metric would count values that happen to be equal, or above a half.
        yield f"{key}: {target} is for classes, and task={task.name} predicts a quantity. Use keras.metrics.R2Score."


def _weights(weights: DictConfig) -> Iterator[str]:
    if not weights:
        yield "task.class_weight: expected a weight for one class at least, got an empty mapping."
    for name, weight in ((str(name), weight) for name, weight in weights.items()):
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            yield f"task.class_weight.{name}: expected a number of at least 0, got '{weight}'."
    if weights and all(weight == 0 for weight in weights.values()):
        yield "task.class_weight: every given weight is 0, so that nothing would be learned of these classes."
