"""Changes and reads parts of Keras' optimizers and metrics that have no public name."""

from __future__ import annotations

from typing import Any, Literal, cast

import keras

NAMES = (
    "keras.metrics.BinaryAccuracy._direction",
    "keras.Optimizer._apply_weight_decay",
    "keras.Optimizer._model_variables_moving_average",
)


def moving_averages(optimizer: keras.Optimizer) -> list[keras.Variable]:
    """Returns the averages that `use_ema` keeps, one for each weight; publicly they can only overwrite the weights."""
    return cast("list[keras.Variable]", optimizer._model_variables_moving_average)


def scale_weight_decay(optimizer: keras.Optimizer, share: keras.Variable) -> None:
    """Makes every step multiply the optimizer's weight decay by a scalar variable.

    The public `weight_decay` is a number, which becomes a constant of a graph and is saved with the model.
    """
    constant, apply = optimizer.weight_decay, optimizer._apply_weight_decay

    def times_share(variables: Any) -> None:
        # It is a tensor only during tracing, so that a number is saved.
        optimizer.weight_decay = constant * keras.ops.convert_to_tensor(share)
        try:
            apply(variables)
        finally:
            optimizer.weight_decay = constant

    optimizer._apply_weight_decay = times_share


def better_way(metric: keras.Metric) -> Literal["min", "max"] | None:
    """Returns `max` or `min`, or None if the metric does not know; no public name tells."""
    way = getattr(metric, "_direction", None)
    return None if way is None else "max" if way == "up" else "min"
