"""What decides the graphs of a compiled model, as a text: models with the same one can share them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import keras

from dltrain.training.read_numbers import REGULARIZERS, kinds, left_out, sharing
from dltrain.training.regularization_schedule import scheduled


def architecture(model: keras.Model, *, trains: bool = True, penalties: bool = True) -> str | None:
    """Everything that decides the graphs of a compiled model: layers, loss, metrics and optimizer.

    Names are left out, and so are the learning rate, rates of dropout and factors of regularizers, which the graphs
    read. None where a part comes from elsewhere than Keras or dltrain, whose configuration may not tell all.

    Args:
        model: compiled and built.
        trains: whether the graphs train; where they do not, the optimizer decides nothing.
        penalties: whether the weights' regularizers are told as well.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # nothing is stored, so a lambda does no harm
            with left_out(model):
                parts = json.loads(model.to_json())
    except (TypeError, ValueError, NotImplementedError, AttributeError, OSError):
        return None
    if not parts.get("compile_config") or not all(_is_known(node) for node in _serialized(parts)):
        return None
    layers = model._flatten_layers(include_self=False)  # those within a backbone too
    numbers = {layer.name: f"layer {place}" for place, layer in enumerate(layers)}
    numbers |= {model.name: "model", model.optimizer.name: "optimizer"}
    settings = parts.get("compile_config", {}).get("optimizer", {}).get("config", {})
    if not trains:
        del parts["compile_config"]["optimizer"]
    if isinstance(settings.get("learning_rate"), float):
        del settings["learning_rate"]  # a variable, which each optimizer has of its own
    own = [kinds(model), sharing(model)] if penalties else None
    shapes = [(tuple(variable.shape), variable.dtype, variable.trainable) for variable in model.variables]
    changing = scheduled(model.optimizer)
    changes = None if changing is None else [changing.dropout, changing.weight_decay]
    return json.dumps([_renamed(_penalties_left_out(parts), numbers), str(shapes), changes, own], sort_keys=True)


def _serialized(node: Any) -> list[dict[str, Any]]:
    """The serialized objects in a configuration."""
    if isinstance(node, list):
        return [found for each in node for found in _serialized(each)]
    if not isinstance(node, dict):
        return []
    own = [node] if "class_name" in node or set(node) == {"value"} else []  # the latter is a lambda's code
    return own + [found for each in node.values() for found in _serialized(each)]


def _is_known(node: Mapping[str, Any]) -> bool:
    name, module = str(node.get("class_name", "function")), str(node.get("module") or "")
    if name in ("Lambda", "__lambda__", "function"):
        return False
    return (
        name.startswith("__") or module.startswith("keras") or str(node.get("registered_name")).startswith("dltrain>")
    )


def _penalties_left_out(node: Any) -> Any:
    if isinstance(node, list):
        return [_penalties_left_out(each) for each in node]
    if not isinstance(node, dict):
        return node
    # That of a layer's output is none of a weight, and its factor is a constant of the graph.
    of_weights = [key for key in node if key.endswith("_regularizer") and key != "activity_regularizer"]
    return {
        key: _penalties_left_out(each)
        for key, each in node.items()
        if not (key in of_weights and (each is None or each.get("class_name") in REGULARIZERS))
    }


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_renamed(each, names) for each in node]
    if isinstance(node, dict):
        # A key is no layer's name, though Keras may well call a layer `activation`.
        return {key: _renamed(each, names) for key, each in node.items()}
    return names.get(node, node) if isinstance(node, str) else node
