"""Checks that the text of an architecture contains every number that a network was given.

Keras' configurations leave some out. Such a number would be a constant in the graphs of one model, and a model that
differs only in it would run them.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from dltrain.engine.architecture import NOT_HELD, serialized
from dltrain.engine.read_numbers import ReadNumber
from dltrain.internals.keras_training import all_layers, given_metrics


def settings_not_told(model: keras.Model, text: str) -> list[str]:
    """Returns the settings of layers, loss, metrics and optimizer that neither the text contains nor a graph reads.

    `text` is that of the architecture of the compiled and built model.
    """
    parts, *_, scored = json.loads(text)
    found: list[tuple[Any, Iterator[tuple[str, Any]], Any]] = []
    compiled = parts["compile_config"]
    layers = {node.get("config", {}).get("name"): node for node in serialized(parts["config"])}
    for place, layer in enumerate(all_layers(model)):
        if f"layer {place}" in layers:  # otherwise it is a part of another layer, whose configuration includes it
            found.append((layer, _given(layer), layers[f"layer {place}"]))
    if "optimizer" in compiled:
        found.append((model.optimizer, _given(model.optimizer), compiled["optimizer"]))
    for each in tf.nest.flatten(model.loss):
        found.append((each, _settings(each), [compiled["loss"], scored[0]]))
    for each in tf.nest.flatten(given_metrics(model)):
        found.append((each, _settings(each), [compiled["metrics"], compiled["weighted_metrics"], scored[1:]]))
    return [
        f"{type(holder).__name__}.{name}"
        for holder, settings, node in found
        for told in [set(_numbers(node))]
        for name, value in settings
        if not set(_numbers({name: value})) <= told
    ]


def _given(holder: Any) -> Iterator[tuple[str, Any]]:
    """Yields the arguments that a layer or an optimizer was created with, as far as they are its attributes."""
    arguments = inspect.signature(type(holder).__init__).parameters
    found = ((name, vars(holder)[name]) for name in arguments if name in vars(holder))
    return ((name, value) for name, value in found if not isinstance(value, ReadNumber))


def _settings(scored: Any) -> Iterator[tuple[str, Any]]:
    """Yields the attributes of a loss or a metric, and the arguments of its function."""
    for name, value in vars(scored).items() if isinstance(scored, (keras.Loss, keras.Metric)) else ():
        if name not in NOT_HELD:
            yield from value.items() if isinstance(value, Mapping) else [(name, value)]


def _numbers(node: Any) -> Iterator[tuple[str, Any]]:
    """Yields numbers, and sequences of them, with their names."""
    if isinstance(node, (list, tuple)):
        for each in node:
            yield from _numbers(each)
    elif isinstance(node, Mapping):
        for name, value in node.items():
            numbers = tuple(value) if isinstance(value, (list, tuple)) else (value,)
            if all(isinstance(each, (int, float)) for each in numbers):
                yield name, numbers
            else:
                yield from _numbers(value)
