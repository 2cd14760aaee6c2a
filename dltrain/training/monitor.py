"""Which way a monitored value is better."""

from __future__ import annotations

import keras

from dltrain.base.errors import ConfigError
from dltrain.config.metric_direction import direction_by_name
from dltrain.internals.keras_optimizers import better_way
from dltrain.internals.keras_training import given_metrics


def direction(monitor: str, mode: str, model: keras.Model) -> str:
    """`min` or `max`.

    Args:
        monitor: a name in the epoch's logs, such as val_loss.
        mode: min, max or auto.
        model: compiled and built, whose metrics know their direction.

    Raises:
        ConfigError: mode is auto and neither the metric nor its name says it.
    """
    if mode in ("min", "max"):
        return mode
    name = monitor.removeprefix("val_")
    if name == "loss":
        return "min"
    for metric in _metrics(model):
        if metric.name == name and (way := better_way(metric)):
            return "max" if way == "up" else "min"
    by_name = direction_by_name(name)
    if by_name is not None:
        return by_name
    raise ConfigError(f"monitor '{monitor}' does not say whether less or more is better; set mode to min or max.")


def better(value: float, than: float, way: str) -> bool:
    """Whether a value beats another one."""
    return value < than if way == "min" else value > than


def _metrics(model: keras.Model) -> list[keras.metrics.Metric]:
    # Before the first batch Keras knows them as they were given to `compile` alone.
    given = [metric for metric in given_metrics(model)[0] or [] if isinstance(metric, keras.Metric)]
    return given + list(model.metrics)
