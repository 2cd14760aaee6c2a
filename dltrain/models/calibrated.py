"""Puts a calibration behind a model, in layers that Keras has itself, so that every export takes it along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dltrain.config.tasks import Task

SURE = 1e-7  # a probability is at least so far from 0 and 1
NARROWEST = 1e-6  # the least distance of two knots, which 32 bits still tell apart

Curve = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def with_temperature(model: keras.Model, task: Task, temperature: float) -> keras.Model:
    """Returns the model with its logits divided by a temperature."""
    given = keras.ops.clip(model.output, SURE, 1 - SURE)
    logits = keras.ops.log(given)
    if not task.several_classes:
        logits = logits - keras.ops.log(1.0 - given)
    cooled = keras.layers.Rescaling(1 / temperature, name="temperature")(logits)
    made = keras.layers.Activation("softmax" if task.several_classes else "sigmoid", name="calibrated")(cooled)
    return keras.Model(model.input, made, name=model.name)


def with_curves(model: keras.Model, task: Task, curves: Sequence[Curve]) -> keras.Model:
    """Returns the model with each unit's probability replaced by what an ascending curve of straight lines makes of it.

    A curve has its knots and their values, each of shape (knots,). Probabilities of several classes are divided by
    their sum.
    """
    made = [_curve(model.output[:, unit : unit + 1], unit, *curve) for unit, curve in enumerate(curves)]
    joined = made[0] if len(made) == 1 else keras.layers.Concatenate(name="calibrated")(made)
    if task.several_classes:
        joined = joined / keras.ops.sum(joined, axis=1, keepdims=True)
    return keras.Model(model.input, joined, name=model.name)


def _curve(given: Any, unit: int, knots: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> Any:
    """Adds up the rises between the knots, each from 0 to 1 of its height, so that no large numbers cancel out."""
    if len(knots) == 1:
        knots, values = np.array([0.0, 1.0]), np.repeat(values, 2)
    widths = np.maximum(np.diff(knots), NARROWEST)
    above = _dense(len(widths), f"above_knots_{unit}")
    rise = _dense(1, f"curve_{unit}")
    made = rise(
        keras.layers.ReLU(max_value=1.0, name=f"share_of_rise_{unit}")(
            keras.layers.Rescaling((1 / widths).tolist(), name=f"widths_{unit}")(above(given))
        )
    )
    above.set_weights([np.ones((1, len(widths))), -knots[:-1]])
    rise.set_weights([np.diff(values)[:, None], values[:1]])
    return made


def _dense(units: int, name: str) -> keras.layers.Dense:
    return keras.layers.Dense(units, name=name, trainable=False, dtype="float32")
