"""Reads what building graphs needs of Keras' layers, compiled models and optimizers.

`fast_path` checks that all of these names exist before a training uses any of them.
"""

from __future__ import annotations

from typing import Any, cast

import keras

NAMES = (
    "keras.Layer._flatten_layers",
    "keras.Layer._trainable_variables",
    "keras.Model._compile_loss",
    "keras.Model._compile_metrics",
    "keras.Optimizer._iterations",
    "keras.Optimizer._learning_rate",
    "keras.Optimizer._trainable_variables",
    "keras.Optimizer._use_weight_decay",
    "keras.activations.softmax._keras_logits",
    "keras.src.trainers.compile_utils.CompileMetrics._user_metrics",
    "keras.src.trainers.compile_utils.CompileMetrics._user_weighted_metrics",
)


def all_layers(model: keras.Layer) -> list[keras.Layer]:
    """Returns every layer of a model or layer in Keras' order, with nested ones, which the public `layers` lacks."""
    return cast("list[keras.Layer]", model._flatten_layers(include_self=False))


def own_weights(layer: keras.Layer) -> list[keras.Variable]:
    """Returns the weights that a layer itself trains, frozen or not; the public list includes those of inner layers."""
    return cast("list[keras.Variable]", layer._trainable_variables)


def given_metrics(model: keras.Model) -> tuple[Any, Any]:
    """Returns the metrics and the weighted metrics as `compile` got them.

    The public `metrics` has them only after the first batch, and does not tell which are weighted.
    """
    compiled = model._compile_metrics
    return (None, None) if compiled is None else (compiled._user_metrics, compiled._user_weighted_metrics)


def build_loss_and_metrics(model: keras.Model, targets: Any, answers: Any) -> None:
    """Creates the variables of loss and metrics, without the whole step that does so publicly.

    `targets` and `answers` have any number of rows; a whole step takes as long as ten small epochs.
    """
    for part in filter(None, (model._compile_loss, model._compile_metrics)):
        part.build(targets, answers)


def is_decayed(optimizer: keras.Optimizer, weight: keras.Variable) -> bool:
    """Returns whether an optimizer's weight decay applies to a weight; publicly this can be set, but not read."""
    return bool(optimizer._use_weight_decay(weight))


def trained_weights(optimizer: keras.Optimizer) -> list[keras.Variable]:
    """Returns the weights that an optimizer was built for, in the order of its state."""
    return cast("list[keras.Variable]", optimizer._trainable_variables)


def states(optimizer: keras.Optimizer) -> dict[str, list[keras.Variable]]:
    """Returns an optimizer's lists of one variable for each weight, by attribute, with the list of the weights.

    The public `variables` is one flat list.
    """
    return {
        name: list(found)
        for name, found in vars(optimizer).items()
        if isinstance(found, list) and found and isinstance(found[0], keras.Variable)
    }


def rate_variable(optimizer: keras.Optimizer) -> keras.Variable | None:
    """Returns the variable of an optimizer's learning rate; None for a schedule. The public property gives a value."""
    rate = optimizer._learning_rate
    return rate if isinstance(rate, keras.Variable) else None


def share_rate_and_steps(follower: keras.Optimizer, leader: keras.Optimizer) -> None:
    """Makes a built optimizer use the learning rate and step counter of another one."""
    follower._learning_rate = leader._learning_rate
    follower._iterations = leader._iterations


def keep_scores(shares: Any, scores: Any) -> None:
    """Keeps with the shares of a softmax the scores from which Keras computes the loss, as its own softmax does."""
    shares._keras_logits = scores
