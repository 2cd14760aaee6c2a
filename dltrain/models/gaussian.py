"""Predicts a quantity with its uncertainty: two columns, mean and standard deviation, in the unit of the target.

Networks output the natural parameters of the normal distribution, because the mean of these over several members is
again a normal distribution, whose loss decomposes like that of a class (dltrain/models/members.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

LEAST_PRECISION = 1e-6  # of the scaled target, to keep the deviation finite


def natural_parameters(scores: Any) -> Any:
    """Returns mean times precision, and precision, from unconstrained scores of shape (…, 2)."""
    precision = keras.ops.softplus(scores[..., 1:]) + LEAST_PRECISION
    return keras.ops.concatenate([scores[..., :1] * precision, precision], axis=-1)


def mean_and_deviation(parameters: Any, offset: float, scale: float) -> Any:
    """Converts natural parameters (…, 2) of the scaled target to mean and standard deviation in the target's unit."""
    precision = parameters[..., 1:]
    mean = parameters[..., :1] / precision
    return keras.ops.concatenate([mean * scale + offset, scale * keras.ops.rsqrt(precision)], axis=-1)


def log_partition(parameters: Any) -> Any:
    """Returns the log-partition function of natural parameters (…, 2) without its constant, shape (…)."""
    mean, precision = parameters[..., 0], parameters[..., 1]
    return 0.5 * (keras.ops.square(mean) / precision - keras.ops.log(precision))


def mixture(answers: Sequence[Any]) -> Any:
    """Returns mean and standard deviation (batch, 2) of an equal mixture of normal distributions, each (batch, 2)."""
    means = keras.ops.concatenate([answer[:, :1] for answer in answers], axis=-1)
    deviations = keras.ops.concatenate([answer[:, 1:] for answer in answers], axis=-1)
    mean = keras.ops.mean(means, axis=-1, keepdims=True)
    # The variance between the means plus the mean variance, which avoids a difference of large squares.
    between = keras.ops.mean(keras.ops.square(means - mean), axis=-1, keepdims=True)
    own = keras.ops.mean(keras.ops.square(deviations), axis=-1, keepdims=True)
    return keras.ops.concatenate([mean, keras.ops.sqrt(between + own)], axis=-1)


def log_likelihood(y_true: Any, y_pred: Any) -> Any:
    """Returns the log-likelihood (n,) of targets (n, 1) under predictions (n, 2)."""
    mean, deviation = y_pred[:, 0], y_pred[:, 1]
    y_true = keras.ops.cast(keras.ops.reshape(y_true, (-1,)), mean.dtype)
    return -0.5 * math.log(2 * math.pi) - keras.ops.log(deviation) - 0.5 * keras.ops.square((y_true - mean) / deviation)


@keras.saving.register_keras_serializable("dltrain")
class GaussianNegativeLogLikelihood(keras.losses.Loss):
    """Minus the log-likelihood of the target, in the target's own unit (Nix & Weigend 1994)."""

    def __init__(self, name: str = "gaussian_negative_log_likelihood", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns a loss for each row, shape (n,)."""
        return -log_likelihood(y_true, y_pred)


@keras.saving.register_keras_serializable("dltrain")
class LogLikelihood(keras.metrics.MeanMetricWrapper):
    """The mean log-likelihood of the target; higher is better."""

    direction = "max"

    def __init__(self, name: str = "log_likelihood", dtype: Any = None) -> None:
        super().__init__(log_likelihood, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the metric."""
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable("dltrain")
class RootMeanSquaredErrorOfMean(keras.metrics.RootMeanSquaredError):
    """Keras' metric on the predicted mean alone."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Takes predictions of shape (n, 2)."""
        return super().update_state(y_true, y_pred[:, :1], sample_weight)


@keras.saving.register_keras_serializable("dltrain")
class MeanAbsoluteErrorOfMean(keras.metrics.MeanAbsoluteError):
    """Keras' metric on the predicted mean alone."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Takes predictions of shape (n, 2)."""
        return super().update_state(y_true, y_pred[:, :1], sample_weight)
