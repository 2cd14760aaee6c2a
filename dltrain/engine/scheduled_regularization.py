"""Dropout and weight decay that a variable multiplies while a network is trained: what the engine must know of them."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from dltrain.internals.keras_optimizers import scale_weight_decay


@dataclass(frozen=True)
class Scheduled:
    """What changes during the training of a network.

    Attributes:
        share: the variable that it is multiplied by.
        dropout: whether the rates of dropout are.
        weight_decay: whether the optimizer's weight decay is.
    """

    share: keras.Variable
    dropout: bool
    weight_decay: bool


def follow(optimizer: keras.Optimizer, found: Scheduled) -> None:
    """Lets an optimizer's weight decay be multiplied by the variable, if that is wanted."""
    optimizer.scheduled_regularization = found
    if found.weight_decay:
        scale_weight_decay(optimizer, found.share)


def scheduled(optimizer: keras.Optimizer) -> Scheduled | None:
    """What changes during the training with this optimizer; None where all is constant."""
    return getattr(optimizer, "scheduled_regularization", None)
