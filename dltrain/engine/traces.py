"""Tracing once for every model of the same architecture: the next one runs the same graphs on its own variables.

Tracing takes longer than many a small training, and the graphs of folds, seeds and jobs of a sweep differ in nothing
but the variables that they read and write.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import keras
import tensorflow as tf

from dltrain.engine.architecture import architecture
from dltrain.engine.graph_files import read_graph, write_graph
from dltrain.engine.read_numbers import read_numbers
from dltrain.engine.traced import Traced
from dltrain.internals import fast_path
from dltrain.internals.determinism import is_deterministic

logger = logging.getLogger(__name__)

MOST_KEPT = 8  # architectures; each keeps the first model that had it

_kept: OrderedDict[str, Traces] = OrderedDict()
# Keras traces with global state, and Python would trace two graphs no faster side by side.
_lock = threading.RLock()


class Traces:
    """The graphs of one architecture, each traced when it is first wanted, or read from where a process has kept it.

    Args:
        model: compiled and built; the graphs are traced with it.
        functions: what is to be traced, by name; on this model.
        beside: the variables that they use beside the model's, such as the optimizer's.
        key: tells all that decides the graphs; None where nothing does, and no other model or process may share them.
    """

    def __init__(
        self,
        model: keras.Model,
        functions: Mapping[str, Callable[..., Any]],
        beside: Sequence[keras.Variable] = (),
        key: str | None = None,
    ) -> None:
        self._model = model
        self._functions = functions
        self._handles = _handles(model, beside)
        self._key = key
        self._traced: dict[str, Traced] = {}

    def function(
        self, name: str, arguments: Sequence[Any], model: keras.Model, beside: Sequence[keras.Variable] = ()
    ) -> Callable[..., Any] | None:
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
        if not _can_share():
            return cast("Callable[..., Any]", self._trace(name, specifications))
        wanted = f"{name} {specifications}"
        with _lock:
            if wanted not in self._traced:
                self._traced[wanted] = self._read_or_trace(name, specifications, f"{self._key} {wanted}")
            traced = self._traced[wanted]
        return traced.on(self._handles if model is self._model else _handles(model, beside), model is self._model)

    def _read_or_trace(self, name: str, specifications: Any, key: str) -> Traced:
        began = time.perf_counter()
        found = None if self._key is None else read_graph(key)
        how = "traced" if found is None else "read"
        if found is None:
            found = Traced.of(self._trace(name, specifications), self._handles)
            if self._key is not None:
                write_graph(key, found)
        logger.debug("The %s graph was %s in %.3f s", name, how, time.perf_counter() - began)
        return found

    def _trace(self, name: str, specifications: Any) -> Any:
        return tf.function(self._functions[name], autograph=False).get_concrete_function(*specifications)


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
    text = architecture(model, trains=trains) if _can_share() else None
    if text is None:
        return Traces(model, functions, beside)
    others = [(tuple(variable.shape), variable.dtype) for variable in beside]
    key = f"{batch_size} {compiled} {is_deterministic()} {others} {text}"
    with _lock:
        found = _kept.pop(key, None) or Traces(model, functions, beside, key)
        _kept[key] = found
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return found


def _can_share() -> bool:
    """Whether a graph can be called on other variables: not on those that every replica has."""
    return fast_path.is_whole() and not tf.distribute.has_strategy()


def _handles(model: keras.Model, beside: Sequence[keras.Variable]) -> list[Any]:
    if not _can_share():
        return []
    own = (*model.variables, *model.metrics_variables, *beside)
    return [*(variable.value.handle for variable in own), *(variable.handle for variable in read_numbers(model))]


def _any_number_of_rows(tensor: Any) -> tf.TensorSpec:
    return tf.TensorSpec((None, *tensor.shape[1:]) if len(tensor.shape) else (), tensor.dtype)
