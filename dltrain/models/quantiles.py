"""Predicts quantiles of a quantity: the median in the first column, then the others in ascending order.

No quantile can be above a higher one: each is the next one nearer to the median, plus or minus a positive distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

MEDIAN = 0.5


def ascending(scores: Any, quantiles: Sequence[float]) -> Any:
    """Returns quantiles (batch, units) from unconstrained scores of that shape; `quantiles` begin with the median."""
    distances = keras.ops.softplus(scores)
    columns = {0: scores[:, :1]}
    below = [unit for unit in range(1, len(quantiles)) if quantiles[unit] < MEDIAN]
    above = [unit for unit in range(1, len(quantiles)) if quantiles[unit] > MEDIAN]
    for sign, units in ((-1.0, below[::-1]), (1.0, above)):
        nearer = 0
        for unit in units:
            columns[unit] = columns[nearer] + sign * distances[:, unit : unit + 1]
            nearer = unit
    return keras.ops.concatenate([columns[unit] for unit in range(len(quantiles))], axis=-1)


def pinball(y_true: Any, y_pred: Any, quantiles: Sequence[float]) -> Any:
    """Returns the pinball loss (n,) of predictions (n, units), the mean over the quantiles (Koenker & Bassett 1978)."""
    above = keras.ops.cast(keras.ops.reshape(y_true, (-1, 1)), y_pred.dtype) - y_pred
    shares = keras.ops.convert_to_tensor(list(quantiles), dtype=y_pred.dtype)
    return keras.ops.mean(keras.ops.maximum(shares * above, (shares - 1.0) * above), axis=-1)


@keras.saving.register_keras_serializable("dltrain")
class PinballLoss(keras.losses.Loss):
    """The mean pinball loss of all quantiles, the median first."""

    def __init__(self, quantiles: Sequence[float] = (MEDIAN,), name: str = "pinball", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.quantiles = list(quantiles)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns a loss for each row, shape (n,)."""
        return pinball(y_true, y_pred, self.quantiles)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the loss."""
        return {**super().get_config(), "quantiles": self.quantiles}


@keras.saving.register_keras_serializable("dltrain")
class Pinball(keras.metrics.MeanMetricWrapper):
    """The mean pinball loss of all quantiles, in the unit of the target; lower is better."""

    direction = "min"
    best = 0.0

    def __init__(self, quantiles: Sequence[float] = (MEDIAN,), name: str = "pinball", dtype: Any = None) -> None:
        self.quantiles = list(quantiles)
        super().__init__(lambda y_true, y_pred: pinball(y_true, y_pred, self.quantiles), name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the metric."""
        return {"quantiles": self.quantiles, "name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable("dltrain")
class Coverage(keras.metrics.MeanMetricWrapper):
    """The share of targets between the lowest and the highest quantile, which should be near their difference."""

    def __init__(self, name: str = "coverage", dtype: Any = None) -> None:
        super().__init__(self._between, name=name, dtype=dtype)

    def _between(self, y_true: Any, y_pred: Any) -> Any:
        truth = keras.ops.cast(keras.ops.reshape(y_true, (-1,)), y_pred.dtype)
        low, high = keras.ops.min(y_pred, axis=-1), keras.ops.max(y_pred, axis=-1)
        return keras.ops.cast(keras.ops.logical_and(low <= truth, truth <= high), self.dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the metric."""
        return {"name": self.name, "dtype": self.dtype}
