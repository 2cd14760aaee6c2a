"""Learning rates that change: from the keys of the group `schedule` to Keras' own schedules, which count steps.

Each function takes the first learning rate, the steps of an epoch and the number of epochs, beside its own keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


def step(learning_rate: float, steps_per_epoch: int, total_epochs: int, *, epochs: Sequence[int], factor: float) -> Any:
    """Times `factor` at the start of each of these epochs (counted from 0)."""
    del total_epochs
    values = [learning_rate * factor**fallen for fallen in range(len(epochs) + 1)]
    # Keras keeps the old value up to and including the boundary step.
    boundaries = [epoch * steps_per_epoch - 1 for epoch in sorted(epochs)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, values)


def exponential(
    learning_rate: float, steps_per_epoch: int, total_epochs: int, *, factor: float, staircase: bool
) -> Any:
    """a0 * factor ** epoch."""
    del total_epochs
    return keras.optimizers.schedules.ExponentialDecay(learning_rate, steps_per_epoch, factor, staircase=staircase)


def inverse_time(learning_rate: float, steps_per_epoch: int, total_epochs: int, *, rate: float, staircase: bool) -> Any:
    """a0 / (1 + rate * epoch)."""
    del total_epochs
    return keras.optimizers.schedules.InverseTimeDecay(learning_rate, steps_per_epoch, rate, staircase=staircase)


def cosine(
    learning_rate: float,
    steps_per_epoch: int,
    total_epochs: int,
    *,
    warmup_epochs: int,
    final_fraction: float,
) -> Any:
    """A straight climb from 0, then half a cosine down to `final_fraction` (Loshchilov & Hutter 2017)."""
    warmup = min(warmup_epochs, total_epochs - 1) * steps_per_epoch
    decay = total_epochs * steps_per_epoch - warmup
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(learning_rate, decay, alpha=final_fraction)
    return keras.optimizers.schedules.CosineDecay(
        0.0, decay, alpha=final_fraction, warmup_target=learning_rate, warmup_steps=warmup
    )
