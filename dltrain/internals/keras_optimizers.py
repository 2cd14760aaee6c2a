"""Parts of Keras' optimizers and metrics that are to be changed or asked, and have no public name."""

from __future__ import annotations

from typing import Any, Literal, cast

import keras

NAMES = (
    "keras.metrics.BinaryAccuracy._direction",
    "keras.Optimizer._apply_weight_decay",
    "keras.Optimizer._model_variables_moving_average",
)


def moving_averages(optimizer: keras.Optimizer) -> list[keras.Variable]:
    """The averages that `use_ema` makes, a variable for each weight; publicly they can only overwrite the weights."""
    return cast("list[keras.Variable]", optimizer._model_variables_moving_average)


def scale_weight_decay(optimizer: keras.Optimizer, share: keras.Variable) -> None:
    """Has every step multiply the weight decay by a variable.

    The public `weight_decay` is a number, which stands in a graph for good and is saved with the model.

    Args:
        optimizer: with a weight decay.
        share: a scalar.
    """
    constant, apply = optimizer.weight_decay, optimizer._apply_weight_decay

    def times_share(variables: Any) -> None:
        # Only what is being traced sees a tensor; what is saved stays a number.
        optimizer.weight_decay = constant * keras.ops.convert_to_tensor(share)
        try:
            apply(variables)
        finally:
            optimizer.weight_decay = constant

    optimizer._apply_weight_decay = times_share


def better_way(metric: keras.Metric) -> Literal["min", "max"] | None:
    """`max` or `min`; None where the metric does not know. Keras' tuner reads what nothing public tells."""
    way = getattr(metric, "_direction", None)
    return None if way is None else "max" if way == "up" else "min"
