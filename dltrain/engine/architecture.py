"""Describes in a text what decides the graphs of a compiled model; models with the same text can share graphs."""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from dltrain.engine.read_numbers import REGULARIZERS, kinds, left_out, sharing
from dltrain.engine.scheduled_regularization import scheduled
from dltrain.internals.keras_training import all_layers, given_metrics, is_decayed

NAMED = ("name", "keras_history", "input_layers", "output_layers")  # keys of a configuration that name layers
NOT_HELD = (
    "name",
    "_name",
    "built",
    "_built",
    "_variables",
    "_metrics",
    "_tracker",
)  # differ between processes


def architecture(model: keras.Model, *, trains: bool = True, penalties: bool = True) -> str | None:
    """Describes everything that decides the graphs of a compiled and built model: layers, loss, metrics, optimizer.

    It leaves out names and the learning rate, dropout rates and regularization factors that the graphs read. It is None
    if a part is neither from Keras nor dltrain, since its configuration may be incomplete. If not `trains`, the
    optimizer is left out; if not `penalties`, the regularizers of weights are.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # Keras warns of lambdas, which are not stored here
            with left_out(model):
                parts = json.loads(model.to_json())
    except (TypeError, ValueError, NotImplementedError, AttributeError, OSError):
        return None
    parts = _values_left_out(parts)
    if not parts.get("compile_config") or not all(_is_known(node) for node in serialized(parts)):
        return None
    layers = all_layers(model)  # with those of a backbone
    # What is no layer, such as a slice or a root, is counted on from one network of the process to the next too.
    operations = [each for part in (model, *layers) for each in getattr(part, "operations", [])]
    numbers = {each.name: f"operation {place}" for place, each in enumerate(operations)}
    numbers |= {layer.name: f"layer {place}" for place, layer in enumerate(layers)}
    numbers |= {model.name: "model", model.optimizer.name: "optimizer"}
    settings = parts.get("compile_config", {}).get("optimizer", {}).get("config", {})
    decayed = None
    if trains:
        decayed = [is_decayed(model.optimizer, weight) for weight in model.trainable_variables]
    else:
        del parts["compile_config"]["optimizer"]
    if isinstance(settings.get("learning_rate"), float):
        del settings["learning_rate"]  # each optimizer has it in its own variable
    own = [kinds(model), sharing(model)] if penalties else None
    shapes = [(tuple(variable.shape), variable.dtype, variable.trainable) for variable in model.variables]
    changing = scheduled(model.optimizer)
    changes = None if changing is None else [changing.dropout, changing.weight_decay]
    scored = [_held(each) for each in (model.loss, *given_metrics(model))]
    told = [_renamed(parts, numbers), str(shapes), changes, own, decayed, scored]
    return json.dumps(told, sort_keys=True)


def serialized(node: Any) -> list[dict[str, Any]]:
    """Returns the serialized objects in a configuration."""
    if isinstance(node, list):
        return [found for each in node for found in serialized(each)]
    if not isinstance(node, dict):
        return []
    own = [node] if "class_name" in node or set(node) == {"value"} else []  # the latter is a lambda's code
    return own + [found for each in node.values() for found in serialized(each)]


def _is_known(node: Mapping[str, Any]) -> bool:
    name, module = str(node.get("class_name", "function")), str(node.get("module") or "")
    if name in ("Lambda", "__lambda__", "function"):
        return False
    if name.startswith("__") or module.split(".")[0] == "keras":
        return True
    registered = keras.saving.get_registered_object(str(node.get("registered_name")))
    return str(getattr(registered, "__module__", "")).split(".")[0] == "dltrain"


def _held(node: Any) -> Any:
    """Returns the attributes of a loss or metric, since Keras' configurations lack some, such as Huber's delta."""
    if node is None or isinstance(node, (str, int, float)):
        return node
    if isinstance(node, (list, tuple)):
        return [_held(each) for each in node]
    if isinstance(node, Mapping):
        return {str(key): _held(each) for key, each in node.items()}
    if isinstance(node, np.ndarray):
        return [str(node.dtype), node.tolist()]
    kind = f"{type(node).__module__}.{type(node).__qualname__}"
    if isinstance(node, functools.partial):
        return [kind, _held([node.func, node.args, node.keywords])]
    if isinstance(node, (keras.Loss, keras.Metric)):
        return [kind, {key: _held(each) for key, each in vars(node).items() if key not in NOT_HELD}]
    # A function by its name; the number of other objects, such as variables, follows from the rest.
    return [kind, getattr(node, "__module__", None), getattr(node, "__qualname__", None)]


def _values_left_out(node: Any) -> Any:
    """Leaves out the penalties of weights, which graphs read, and their first values, which no graph draws."""
    if isinstance(node, list):
        return [_values_left_out(each) for each in node]
    if not isinstance(node, dict):
        return node
    # A regularizer of a layer's output has a constant factor in the graph.
    of_weights = [key for key in node if key.endswith("_regularizer") and key != "activity_regularizer"]
    return {
        key: _values_left_out(each)
        for key, each in node.items()
        if not key.endswith("_initializer")
        and not (key in of_weights and (each is None or each.get("class_name") in REGULARIZERS))
    }


def _renamed(node: Any, names: Mapping[str, str], *, here: bool = False) -> Any:
    if isinstance(node, list):
        return [_renamed(each, names, here=here) for each in node]
    if isinstance(node, dict):
        # Only names are replaced here, since a setting may have the name of a layer, such as `relu`.
        return {key: _renamed(each, names, here=here or key in NAMED) for key, each in node.items()}
    return names.get(node, node) if here and isinstance(node, str) else node
