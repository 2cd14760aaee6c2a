"""A quantity with its uncertainty: answers of two columns, the mean and the standard deviation, in the target's units.

Networks work with the natural parameters of the normal distribution, since the mean of these over several members is a
normal distribution again, whose loss falls apart as that of a class does (dltrain/models/members.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

LEAST_PRECISION = 1e-6  # of the scaled target: no row is so uncertain


def natural_parameters(scores: Any) -> Any:
    """Mean times precision, and precision, from two free numbers.

    Args:
        scores: shape (…, 2).
    """
    precision = keras.ops.softplus(scores[..., 1:]) + LEAST_PRECISION
    return keras.ops.concatenate([scores[..., :1] * precision, precision], axis=-1)


def mean_and_deviation(parameters: Any, offset: float, scale: float) -> Any:
    """The answer in the target's units from natural parameters of the scaled target.

    Args:
        parameters: shape (…, 2).
        offset: of the target's scale.
        scale: of the target's scale.
    """
    precision = parameters[..., 1:]
    mean = parameters[..., :1] / precision
    return keras.ops.concatenate([mean * scale + offset, scale * keras.ops.rsqrt(precision)], axis=-1)


def log_partition(parameters: Any) -> Any:
    """The log of what makes exp(-precision y^2 / 2 + parameter y) a density, without the constant; shape (…).

    Args:
        parameters: natural ones, shape (…, 2).
    """
    mean, precision = parameters[..., 0], parameters[..., 1]
    return 0.5 * (keras.ops.square(mean) / precision - keras.ops.log(precision))


def mixture(answers: Sequence[Any]) -> Any:
    """Mean and standard deviation of all these normal distributions in equal shares, shape (batch, 2).

    Args:
        answers: each of shape (batch, 2).
    """
    means = keras.ops.concatenate([answer[:, :1] for answer in answers], axis=-1)
    deviations = keras.ops.concatenate([answer[:, 1:] for answer in answers], axis=-1)
    mean = keras.ops.mean(means, axis=-1, keepdims=True)
    # The spread between the means, and then their own; without a difference of large squares.
    between = keras.ops.mean(keras.ops.square(means - mean), axis=-1, keepdims=True)
    own = keras.ops.mean(keras.ops.square(deviations), axis=-1, keepdims=True)
    return keras.ops.concatenate([mean, keras.ops.sqrt(between + own)], axis=-1)


def log_likelihood(y_true: Any, y_pred: Any) -> Any:
    """Of each target under the normal distribution that its answer names, shape (n,).

    Args:
        y_true: shape (n, 1).
        y_pred: shape (n, 2).
    """
    mean, deviation = y_pred[:, 0], y_pred[:, 1]
    y_true = keras.ops.cast(keras.ops.reshape(y_true, (-1,)), mean.dtype)
    return -0.5 * math.log(2 * math.pi) - keras.ops.log(deviation) - 0.5 * keras.ops.square((y_true - mean) / deviation)


@keras.saving.register_keras_serializable("dltrain")
class GaussianNegativeLogLikelihood(keras.losses.Loss):
    """Minus the log-likelihood of the target, in the target's own units (Nix & Weigend 1994)."""

    def __init__(self, name: str = "gaussian_negative_log_likelihood", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """A loss for each row, shape (n,)."""
        return -log_likelihood(y_true, y_pred)


@keras.saving.register_keras_serializable("dltrain")
class LogLikelihood(keras.metrics.MeanMetricWrapper):
    """The mean log-likelihood of the target; higher is better."""

    def __init__(self, name: str = "log_likelihood", dtype: Any = None) -> None:
        super().__init__(log_likelihood, name=name, dtype=dtype)
        self._direction = "up"

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same metric again."""
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable("dltrain")
class RootMeanSquaredErrorOfMean(keras.metrics.RootMeanSquaredError):
    """Keras' metric on the mean alone."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Takes answers of shape (n, 2)."""
        return super().update_state(y_true, y_pred[:, :1], sample_weight)


@keras.saving.register_keras_serializable("dltrain")
class MeanAbsoluteErrorOfMean(keras.metrics.MeanAbsoluteError):
    """Keras' metric on the mean alone."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Takes answers of shape (n, 2)."""
        return super().update_state(y_true, y_pred[:, :1], sample_weight)
