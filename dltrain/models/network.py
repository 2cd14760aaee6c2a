"""Builds and compiles the network of a config, from features to predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy.typing as npt
from omegaconf import DictConfig

from dltrain.base.errors import ConfigError
from dltrain.config.build import build, parameters
from dltrain.config.metric_traits import MetricTraits, traits_behind
from dltrain.data.targets import Target
from dltrain.models.losses import InUnits
from dltrain.models.members import for_prediction
from dltrain.models.parts import Head, Inputs, Regularizers
from dltrain.preprocessing.fit import Preprocessing

CURVES = ("AUC", "AtRecall", "AtPrecision", "AtSensitivity", "AtSpecificity")  # metrics of many thresholds


def build_network(
    model: DictConfig,
    preprocessing: Preprocessing,
    target: Target,
    *,
    activation: str | None,
    initializer: DictConfig,
    regularizer: DictConfig,
    normalization: DictConfig | None,
    embedding_dimension: int | None,
    precision: str,
    train: Callable[[str], npt.NDArray[Any]],
) -> keras.Model:
    """Returns an uncompiled model from the features of `preprocessing` to predictions in the target's unit.

    `embedding_dimension` is the length of a category's vector; None derives it from the number of categories.
    `precision` is a dtype policy of Keras. `train` returns a feature of the train rows by its name, and for `target`
    their targets.

    Raises:
        ConfigError: If the model ignores a part of the data or refuses its options.
    """
    tensors = {
        name: keras.Input(output.shape[1:], dtype=output.dtype, name=name)
        for name, output in preprocessing.model.output.items()
    }
    inputs = Inputs(
        tensors,
        preprocessing.categories,
        preprocessing.vocabulary_size,
        embedding_dimension,
        preprocessing.numbers,
        train,
    )
    head = Head(target.task, target.units, activation, target.offset, target.scale, target.quantiles, target.knots)
    regularizers = Regularizers(
        kernel=build(regularizer.kernel, key="regularizer.kernel"), bias=build(regularizer.bias, key="regularizer.bias")
    )
    before = keras.config.dtype_policy()
    # The gradient check runs in float64 whatever the precision of the run.
    keras.config.set_dtype_policy(before if keras.config.floatx() == "float64" else precision)
    try:
        outputs = build(
            model,
            inputs,
            head,
            key="model",
            initializer=build(initializer, key="initializer"),
            regularizer=regularizers,
            normalization=build(normalization, key="normalization"),
        )
    finally:
        keras.config.set_dtype_policy(before)
    unused = sorted(set(inputs) - inputs.used)
    if unused:
        kinds = {"table": "numbers and categories", "categories": "categories", "text": "text", "image": "images"}
        raise ConfigError(
            f"model: {model['_target_']} has no use for the {' and '.join(kinds[name] for name in unused)} of this "
            "dataset, which would be ignored silently. Choose another model=."
        )
    return keras.Model(tensors, outputs, name="network")


def compile_network(
    network: keras.Model,
    task: DictConfig,
    target: Target,
    optimizer: DictConfig,
    schedule: Callable[[float], Any] | None,
) -> None:
    """Compiles the network with optimizer, loss and metrics.

    `task` is the row of the head table; `schedule`, which needs an optimizer with a learning rate, maps the first rate
    to a Keras schedule.
    """
    if schedule is None:
        built = build(optimizer, key="optimizer")
    elif "learning_rate" not in parameters(optimizer):
        raise ConfigError(f"schedule: {optimizer['_target_']} takes no learning_rate. Use schedule=constant.")
    else:
        without_rate = DictConfig({key: value for key, value in optimizer.items() if key != "learning_rate"})
        built = build(without_rate, key="optimizer", learning_rate=schedule(optimizer["learning_rate"]))
    compile_with(built, network, task, target)


def compile_with(optimizer: keras.Optimizer, network: keras.Model, task: DictConfig, target: Target) -> None:
    """Compiles the network with the loss and the metrics of the task, so that the engine alone decides about XLA."""
    network.compile(optimizer=optimizer, jit_compile=False, **loss_and_metrics(task, target))


def loss_and_metrics(task: DictConfig, target: Target) -> dict[str, Any]:
    """Returns the arguments of Keras' `compile` that score a network; where rows have weights, metrics go by them."""
    key = "metrics" if target.weights is None else "weighted_metrics"
    return {"loss": build_loss(task, target), key: build_metrics(task, target)}


def build_loss(task: DictConfig, target: Target) -> Any:
    """Builds the task's loss, on the scaled target if it is scaled."""
    offered = {"quantiles": list(target.quantiles)} if target.quantiles else {}
    loss = build(task.loss, key="task.loss", **offered)
    if not target.is_scaled or target.kind.deviation:
        return loss  # the scale adds a constant to a log-density and does not change its gradient
    return InUnits(loss, target.offset, target.scale, target.knots)


def build_metrics(task: DictConfig, target: Target, threshold: float | None = None) -> list[Any]:
    """Builds the task's metrics, named by their keys, in the target's unit.

    `threshold` is the probability above which the second of two classes is predicted; None is that of each metric.
    """
    metrics = []
    for name, node in task.metrics.items():
        offered: dict[str, Any] = {"name": name}
        if target.quantiles:
            offered["quantiles"] = list(target.quantiles)
        if (traits_behind(str(node.get("_target_"))) or MetricTraits()).splits_range:
            offered["threshold"] = target.offset + target.scale / 2
        elif threshold is not None:
            offered["threshold"] = threshold
            if not str(node.get("_target_")).endswith(CURVES):
                offered["thresholds"] = threshold
        metrics.append(build(node, key=f"task.metrics.{name}", **offered))
    return metrics


def artifact(preprocessing: Preprocessing, network: keras.Model, name: str = "dltrain") -> keras.Model:
    """Joins preprocessing and network to the whole model, from raw columns to predictions."""
    # Without loss and metrics, since those of dltrain cannot be loaded where it is not installed.
    plain = for_prediction(network)
    network = keras.Model(plain.input, plain.output, name="network")
    return keras.Model(preprocessing.model.input, network(preprocessing.model.output), name=name)
