"""Finds settings of calibration, threshold and intervals that have no effect with the task, or no rows to fit on."""

from __future__ import annotations

from collections.abc import Iterator

from omegaconf import DictConfig

from dltrain.config.tasks import TASKS, Task

CRITERIA = ("f1", "balanced_accuracy", "cost")
COSTS = ("false_positive_cost", "false_negative_cost")


def faults(config: DictConfig) -> Iterator[str]:
    """Yields a sentence for each setting that cannot work, as far as the task is known before the data."""
    chosen = [key for key in ("calibration", "threshold", "conformal") if config.get(key) is not None]
    if chosen and config.cv is None and "validation" in config.split and config.split.validation is None:
        yield (
            f"{' and '.join(chosen)}: expected validation rows to be fitted on, and split.validation=null has none. "
            "Use split.validation=0.2, or cv=kfold."
        )
    threshold = config.get("threshold")
    for key in COSTS if threshold is not None and threshold.criterion != "cost" else ():
        if threshold.get(key) is not None:
            yield f"threshold.{key} has no effect with threshold={threshold.criterion}; expected threshold=cost."
    if config.task.name in TASKS:
        yield from faults_of_task(config, TASKS[config.task.name])


def faults_of_task(config: DictConfig, task: Task) -> Iterator[str]:
    """Yields a sentence for each of these settings that has no effect with a task."""
    if config.get("calibration") is not None and task.quantity:
        yield (
            f"calibration has no effect with task={task.name}: it is for probabilities of classes. Leave it out, or "
            "use conformal=0.9 for intervals."
        )
    if config.get("threshold") is not None and not task.two_classes:
        yield f"threshold has no effect with task={task.name}: it decides between two classes. Leave it out."
    if config.get("conformal") is not None and task.quantiles and config.cv is not None and not config.cv.ensemble:
        yield (
            "conformal: with cv= the widths of the folds' own quantiles do not hold for those of a model that is "
            "trained anew. Add cv.ensemble=true, or leave cv out."
        )
    if config.get("conformal") is not None and task.labels:
        yield f"conformal has no effect with task={task.name}: it is for one class or one number a row. Leave it out."
