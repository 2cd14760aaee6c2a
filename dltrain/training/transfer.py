"""Trains first a head on the features of a frozen backbone, then the top of the backbone as well."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from omegaconf import DictConfig

from dltrain.models.efficientnet import BACKBONE, FEATURES
from dltrain.models.network import compile_with
from dltrain.preprocessing.prepared import Prepared
from dltrain.training.checkpoint import Checkpoint
from dltrain.training.interrupts import Interrupts


@dataclass(frozen=True)
class FineTuning:
    """The second part of a transfer: it trains the top `layers` of the backbone at a small learning rate."""

    layers: int
    epochs: int
    learning_rate: float

    @classmethod
    def of(cls, model: DictConfig) -> FineTuning | None:
        """Reads the keys of the group `model`; returns None if nothing is frozen or nothing is to be tuned."""
        if model.get("fine_tune_epochs") is None or model.weights == "none":
            return None
        found = cls(model.fine_tune_layers, model.fine_tune_epochs, model.fine_tune_learning_rate)
        return found if found.epochs and found.layers else None


def stop_on_signal(interrupts: Interrupts) -> keras.callbacks.Callback:
    """Returns a callback that ends a training that saves no state when a signal was received."""

    def check(*_: object) -> None:
        interrupts.check()

    return keras.callbacks.LambdaCallback(on_epoch_end=check, on_segment_end=check)


def is_fixed(network: keras.Model) -> bool:
    """Tells whether the network has a frozen backbone."""
    return any(layer.name == BACKBONE and not layer.trainable_weights for layer in network.layers)


def head_alone(network: keras.Model, task: DictConfig, data: Prepared) -> keras.Model:
    """Returns the layers after the backbone's features as a model that shares weights and optimizer."""
    place = network.layers.index(network.get_layer(FEATURES))
    inputs = keras.Input(network.get_layer(FEATURES).output.shape[1:], name=FEATURES)
    hidden = inputs
    for layer in network.layers[place + 1 :]:
        hidden = layer(hidden)
    head = keras.Model({FEATURES: inputs}, hidden, name="head_alone")
    compile_with(network.optimizer, head, task, data.target)
    return head


def begin_fine_tuning(
    network: keras.Model,
    tuning: FineTuning,
    callbacks: list[keras.callbacks.Callback],
    task: DictConfig,
    data: Prepared,
) -> str:
    """Unfreezes the top of the backbone at a small learning rate; returns a sentence for the log.

    Batch normalization stays frozen, because a few small batches would spoil its averages. The network, which has the
    best head, is compiled again, and its weights become the best of the callbacks' checkpoints.
    """
    backbone = network.get_layer(BACKBONE)
    backbone.trainable = True
    for place, layer in enumerate(reversed(backbone.layers)):
        layer.trainable = place < tuning.layers and not isinstance(layer, keras.layers.BatchNormalization)
    settings = network.optimizer.get_config() | {"learning_rate": tuning.learning_rate}
    compile_with(type(network.optimizer).from_config(settings), network, task, data.target)
    carry_over(network, callbacks)
    tuned = sum(int(np.prod(weight.shape)) for weight in backbone.trainable_weights)
    return (
        f"fine-tuning: the top {min(tuning.layers, len(backbone.layers))} of {len(backbone.layers)} layers of the "
        f"backbone, {tuned:,} weights, learning rate {tuning.learning_rate:g}, at most {tuning.epochs} epochs"
    )


def carry_over(network: keras.Model, callbacks: list[keras.callbacks.Callback]) -> None:
    """Makes the network's weights, which include the best head, the best ones of the checkpoint."""
    for callback in callbacks:
        if isinstance(callback, Checkpoint):
            callback.replace_network(network)
