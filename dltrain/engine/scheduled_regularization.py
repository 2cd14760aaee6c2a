"""Tells the engine which dropout rates and weight decay a variable multiplies during training."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from dltrain.internals.keras_optimizers import scale_weight_decay


@dataclass(frozen=True)
class Scheduled:
    """What changes during the training of a network."""

    share: keras.Variable  # the variable that multiplies the others
    dropout: bool  # whether it multiplies the dropout rates
    weight_decay: bool  # whether it multiplies the optimizer's weight decay


def follow(optimizer: keras.Optimizer, found: Scheduled) -> None:
    """Records what changes in the optimizer, and multiplies its weight decay by the variable if that is scheduled."""
    optimizer.scheduled_regularization = found
    if found.weight_decay:
        scale_weight_decay(optimizer, found.share)


def scheduled(optimizer: keras.Optimizer) -> Scheduled | None:
    """Returns what changes during the training with this optimizer; None if nothing does."""
    return getattr(optimizer, "scheduled_regularization", None)
