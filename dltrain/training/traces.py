"""Tracing once for every model of the same architecture: the next one runs the same graphs on its own variables.

Tracing takes longer than many a small training, and the graphs of folds, seeds and jobs of a sweep differ in nothing
but the variables that they read and write.
"""

from __future__ import annotations

import copy
import json
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import keras
import tensorflow as tf

from dltrain.training.read_numbers import REGULARIZERS, kinds, left_out, read_numbers, sharing
from dltrain.training.regularization_schedule import scheduled

MOST_KEPT = 8  # architectures; each keeps the first model that had it

_kept: OrderedDict[str, Traces] = OrderedDict()
# Keras traces with global state, and Python would trace two graphs no faster side by side.
_lock = threading.RLock()


class Traces:
    """The graphs of one architecture, each traced when it is first wanted.

    Args:
        model: compiled and built; the graphs are traced with it.
        functions: what is to be traced, by name; on this model.
        beside: the variables that they use beside the model's, such as the optimizer's.
    """

    def __init__(
        self, model: keras.Model, functions: Mapping[str, Callable[..., Any]], beside: Sequence[keras.Variable] = ()
    ) -> None:
        self._model = model
        self._functions = functions
        self._handles = _handles(model, beside)
        self._traced: dict[str, Any] = {}

    def function(
        self, name: str, arguments: Sequence[Any], model: keras.Model, beside: Sequence[keras.Variable] = ()
    ) -> Any:
        """A graph that works on the variables of `model`.

        Args:
            name: of the function.
            arguments: tensors, or structures of them, such as it will be called with; any number of rows will do.
            model: of the same architecture.
            beside: its counterparts of what the first model has beside its own variables.

        Returns:
            None where the graph holds something of the first model that the other has no counterpart for.
        """
        specifications = tf.nest.map_structure(_any_number_of_rows, tuple(arguments))
        key = f"{name} {specifications}"
        with _lock:
            if key not in self._traced:
                function = tf.function(self._functions[name], autograph=False)
                self._traced[key] = function.get_concrete_function(*specifications)
            traced = self._traced[key]
        if model is self._model:
            return cast("Callable[..., Any]", traced)
        own = dict(zip(map(id, self._handles), _handles(model, beside), strict=True))
        captured = traced.captured_inputs
        if any(tensor.dtype == tf.resource and id(tensor) not in own for tensor in captured):
            return None
        other = copy.copy(traced)
        other.set_external_captures([own.get(id(tensor), tensor) for tensor in captured])
        return cast("Callable[..., Any]", other)


def traces_of(
    model: keras.Model,
    batch_size: int | None,
    functions: Mapping[str, Callable[..., Any]],
    beside: Sequence[keras.Variable] = (),
    *,
    compiled: object = False,
) -> Traces:
    """The traces of the model's architecture, where that is known to decide the graphs; else traces of its own.

    Args:
        model: compiled and built.
        batch_size: rows a training step, which stands in the graphs; None for graphs that do not train, which models
            with different optimizers share.
        functions: what is to be traced, by name; on this model.
        beside: the variables that they use beside the model's.
        compiled: what XLA compiles of a training step.
    """
    trains = batch_size is not None
    text = architecture(model, trains=trains)
    if text is None or tf.distribute.has_strategy():
        return Traces(model, functions, beside)
    key = f"{batch_size} {compiled} {keras.config.floatx()} {text}"
    with _lock:
        found = _kept.pop(key, None) or Traces(model, functions, beside)
        _kept[key] = found
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return found


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


def _handles(model: keras.Model, beside: Sequence[keras.Variable]) -> list[Any]:
    if tf.distribute.has_strategy():
        return []  # of a variable that every replica has; no other model is to share the graphs
    own = (*model.variables, *model.metrics_variables, *beside)
    return [*(variable.value.handle for variable in own), *(variable.handle for variable in read_numbers(model))]


def _any_number_of_rows(tensor: Any) -> tf.TensorSpec:
    return tf.TensorSpec((None, *tensor.shape[1:]) if len(tensor.shape) else (), tensor.dtype)


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
