"""Tells in which direction a monitored value improves."""

from __future__ import annotations

from typing import Any

import keras

from dltrain.base.errors import ConfigError
from dltrain.config.metric_traits import MetricTraits, traits_by_name, traits_of
from dltrain.internals.keras_optimizers import better_way
from dltrain.internals.keras_training import given_metrics


def direction(monitor: str, mode: str, model: keras.Model) -> str:
    """Returns `min` or `max` for a name in the epoch's logs, such as val_loss.

    `mode` is min, max, or auto, which looks at the metrics of the compiled and built model, then at the name.

    Raises:
        ConfigError: If mode is auto and neither metric nor name tells.
    """
    if mode in ("min", "max"):
        return mode
    name = monitor.removeprefix("val_")
    named = [metric for metric in [*_given(model), *model.metrics] if metric.name == name and name != "loss"]
    way = next((way for metric in named if (way := _traits(metric).direction)), None) or traits_by_name(name).direction
    if way is not None:
        return way
    raise ConfigError(f"monitor '{monitor}' does not say whether less or more is better; set mode to min or max.")


def better(value: float, than: float, way: str) -> bool:
    """Tells whether a value is better than another one."""
    return value < than if way == "min" else value > than


def described(model: keras.Model) -> dict[str, dict[str, Any]]:
    """Returns direction and best value of each metric of a compiled model by name, for the record of a run."""
    found = {metric.name: _traits(metric) for metric in _given(model)}
    return {name: {"direction": each.direction, "best": each.best} for name, each in found.items()}


def _traits(metric: keras.Metric) -> MetricTraits:
    """Returns the traits of the metric's class, or of its name if the class gives no direction."""
    own = traits_of(type(metric))
    if own.direction is None and (way := better_way(metric)):
        return MetricTraits(way)
    return own if own.direction else traits_by_name(metric.name)


def _given(model: keras.Model) -> list[keras.Metric]:
    # Before the first batch Keras knows them as they were given to `compile` alone.
    return [metric for metric in given_metrics(model)[0] or [] if isinstance(metric, keras.Metric)]
