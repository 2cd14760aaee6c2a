"""Makes Keras' learning-rate schedules, which count steps, from the keys of the group `schedule`.

Each function takes the first learning rate, the steps of an epoch and the number of epochs, and its own keys.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras


def step(learning_rate: float, steps_per_epoch: int, total_epochs: int, *, epochs: Sequence[int], factor: float) -> Any:
    """Multiplies the rate by `factor` at the start of each of these epochs, counted from 0."""
    values = [learning_rate * factor**fallen for fallen in range(len(epochs) + 1)]
    # Keras keeps the old value up to and including the boundary step.
    boundaries = [epoch * steps_per_epoch - 1 for epoch in sorted(epochs)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, values)


def exponential(
    learning_rate: float, steps_per_epoch: int, total_epochs: int, *, factor: float, staircase: bool
) -> Any:
    """Returns a0 * factor ** epoch."""
    return keras.optimizers.schedules.ExponentialDecay(learning_rate, steps_per_epoch, factor, staircase=staircase)


def inverse_time(learning_rate: float, steps_per_epoch: int, total_epochs: int, *, rate: float, staircase: bool) -> Any:
    """Returns a0 / (1 + rate * epoch)."""
    return keras.optimizers.schedules.InverseTimeDecay(learning_rate, steps_per_epoch, rate, staircase=staircase)


def cosine(
    learning_rate: float, steps_per_epoch: int, total_epochs: int, *, warmup_epochs: int, final_fraction: float
) -> Any:
    """Rises linearly from 0, then falls along half a cosine to `final_fraction` (Loshchilov & Hutter 2017)."""
    warmup = min(warmup_epochs, total_epochs - 1) * steps_per_epoch
    decay = total_epochs * steps_per_epoch - warmup
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(learning_rate, decay, alpha=final_fraction)
    return keras.optimizers.schedules.CosineDecay(
        0.0, decay, alpha=final_fraction, warmup_target=learning_rate, warmup_steps=warmup
    )


@keras.saving.register_keras_serializable("dltrain")
class CosineLog(keras.optimizers.schedules.LearningRateSchedule):
    """Returns a0 (1 - cos(2 pi log2(1 + (2^cycles - 1) t))) / 2 for t from 0 to 1.

    Each cycle is twice as long as the one before; a0, `learning_rate`, is its maximum, and t = 1 after `steps` steps.
    Holzmüller et al. 2024 use 4 cycles.
    """

    def __init__(self, learning_rate: float, steps: int, cycles: int) -> None:
        super().__init__()
        self.learning_rate, self.steps, self.cycles = learning_rate, steps, cycles

    def __call__(self, step: Any) -> Any:
        """Returns the learning rate at a step."""
        done = keras.ops.minimum(keras.ops.cast(step, "float32") / self.steps, 1.0)
        turns = keras.ops.log2(1.0 + (2.0**self.cycles - 1.0) * done)
        return self.learning_rate * 0.5 * (1.0 - keras.ops.cos(2.0 * math.pi * turns))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the schedule."""
        return {"learning_rate": self.learning_rate, "steps": self.steps, "cycles": self.cycles}


def cosine_log(learning_rate: float, steps_per_epoch: int, total_epochs: int, *, cycles: int) -> Any:
    """Rises from 0 and falls again in cycles that double in length; the last ends with the training."""
    return CosineLog(learning_rate, steps_per_epoch * total_epochs, cycles)
