"""What layers, compiled models and optimizers of Keras know and do not tell, as far as building graphs needs it.

`fast_path` asks for all of these names before any of them is used in a training.
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
    "keras.src.trainers.compile_utils.CompileMetrics._user_metrics",
    "keras.src.trainers.compile_utils.CompileMetrics._user_weighted_metrics",
)


def all_layers(model: keras.Layer) -> list[keras.Layer]:
    """Every layer below a model or layer, those within other layers too, in Keras' order.

    The public `layers` stops at models and at layers that wrap others.
    """
    return cast("list[keras.Layer]", model._flatten_layers(include_self=False))


def own_weights(layer: keras.Layer) -> list[keras.Variable]:
    """The weights that a layer itself trains, frozen or not; the public list has those of its inner layers as well."""
    return cast("list[keras.Variable]", layer._trainable_variables)


def given_metrics(model: keras.Model) -> tuple[Any, Any]:
    """The metrics and the weighted metrics as `compile` got them.

    The public `metrics` has them after the first batch alone, and does not tell which are weighted.
    """
    compiled = model._compile_metrics
    return (None, None) if compiled is None else (compiled._user_metrics, compiled._user_weighted_metrics)


def build_loss_and_metrics(model: keras.Model, targets: Any, answers: Any) -> None:
    """Makes the variables of loss and metrics; publicly a whole step does it, which takes as long as ten small epochs.

    Args:
        model: compiled.
        targets: any, shape (rows, …).
        answers: of the model's shape.
    """
    for part in filter(None, (model._compile_loss, model._compile_metrics)):
        part.build(targets, answers)


def is_decayed(optimizer: keras.Optimizer, weight: keras.Variable) -> bool:
    """Whether an optimizer's weight decay takes part of a weight; publicly a weight can be excluded, but not asked."""
    return bool(optimizer._use_weight_decay(weight))


def trained_weights(optimizer: keras.Optimizer) -> list[keras.Variable]:
    """The weights that an optimizer was built for, in its order, which is that of its state; no public name has it."""
    return cast("list[keras.Variable]", optimizer._trainable_variables)


def states(optimizer: keras.Optimizer) -> dict[str, list[keras.Variable]]:
    """An optimizer's lists of a variable for each weight, by attribute, that of the weights among them.

    The public `variables` has them in one row.
    """
    return {
        name: list(found)
        for name, found in vars(optimizer).items()
        if isinstance(found, list) and found and isinstance(found[0], keras.Variable)
    }


def share_rate_and_steps(follower: keras.Optimizer, leader: keras.Optimizer) -> None:
    """Has an optimizer read the learning rate of another one and count in its steps; only the rate has a public setter.

    Args:
        follower: built.
        leader: built.
    """
    follower._learning_rate = leader._learning_rate
    follower._iterations = leader._iterations
