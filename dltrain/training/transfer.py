"""Transfer learning: first the head on the features of a fixed backbone, then the top of the backbone as well."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from omegaconf import DictConfig

from dltrain.models.efficientnet import BACKBONE, FEATURES
from dltrain.models.network import build_loss, build_metrics
from dltrain.preprocessing.prepared import Prepared
from dltrain.training.checkpoint import Checkpoint
from dltrain.training.interrupts import Interrupts


@dataclass(frozen=True)
class FineTuning:
    """The second part of a transfer.

    Attributes:
        layers: how many of the backbone's top layers are trained.
        epochs: at most.
        learning_rate: a small one, so that what the weights know is not lost.
    """

    layers: int
    epochs: int
    learning_rate: float

    @classmethod
    def of(cls, model: DictConfig) -> FineTuning | None:
        """What the keys of the group `model` ask for; None where nothing is fixed or nothing is to be tuned."""
        if model.get("fine_tune_epochs") is None or model.weights == "none":
            return None
        found = cls(model.fine_tune_layers, model.fine_tune_epochs, model.fine_tune_learning_rate)
        return found if found.epochs and found.layers else None


class Watch(keras.callbacks.Callback):
    """Ends the training when a signal came, where no state is saved."""

    def __init__(self, interrupts: Interrupts) -> None:
        super().__init__()
        self.interrupts = interrupts

    def on_segment_end(self, epoch: int, step: int) -> None:
        """Called by the engine a few times a second within an epoch."""
        self.interrupts.check()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self.interrupts.check()


def is_fixed(network: keras.Model) -> bool:
    """Whether the network has a backbone that is not trained."""
    return any(layer.name == BACKBONE and not layer.trainable_weights for layer in network.layers)


def head_alone(network: keras.Model, task: DictConfig, data: Prepared) -> keras.Model:
    """What stands behind the backbone's features: a model of its own that shares the layers and the optimizer."""
    place = network.layers.index(network.get_layer(FEATURES))
    inputs = keras.Input(network.get_layer(FEATURES).output.shape[1:], name=FEATURES)
    hidden = inputs
    for layer in network.layers[place + 1 :]:
        hidden = layer(hidden)
    head = keras.Model({FEATURES: inputs}, hidden, name="head_alone")
    head.compile(
        optimizer=network.optimizer,
        loss=build_loss(task, data.target),
        metrics=build_metrics(task, data.target),
        jit_compile=False,
    )
    return head


def begin_fine_tuning(
    network: keras.Model,
    tuning: FineTuning,
    callbacks: list[keras.callbacks.Callback],
    task: DictConfig,
    data: Prepared,
) -> str:
    """Lets the top of the backbone learn with a small learning rate; gives a sentence for the log.

    Batch normalization stays fixed: its averages would be spoilt by a few small batches.

    Args:
        network: with the best head; compiled anew.
        tuning: what is to be trained.
        callbacks: of the first part; the best weights so far become those of the whole network.
        task: the row of the head table.
        data: for the units of loss and metrics.
    """
    backbone = network.get_layer(BACKBONE)
    backbone.trainable = True
    for place, layer in enumerate(reversed(backbone.layers)):
        layer.trainable = place < tuning.layers and not isinstance(layer, keras.layers.BatchNormalization)
    settings = network.optimizer.get_config() | {"learning_rate": tuning.learning_rate}
    network.compile(
        optimizer=type(network.optimizer).from_config(settings),
        loss=build_loss(task, data.target),
        metrics=build_metrics(task, data.target),
        jit_compile=False,
    )
    carry_over(network, callbacks)
    tuned = sum(int(np.prod(weight.shape)) for weight in backbone.trainable_weights)
    return (
        f"fine-tuning: the top {min(tuning.layers, len(backbone.layers))} of {len(backbone.layers)} layers of the "
        f"backbone, {tuned:,} weights, learning rate {tuning.learning_rate:g}, at most {tuning.epochs} epochs"
    )


def carry_over(network: keras.Model, callbacks: list[keras.callbacks.Callback]) -> None:
    """Makes the best head, which the network has now, the best weights of the whole network."""
    for callback in callbacks:
        if isinstance(callback, Checkpoint):
            callback.whole_network(network)
