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
from dataclasses import replace
from typing import Any, cast

import keras
import tensorflow as tf

from dltrain.engine.architecture import architecture
from dltrain.engine.graph_files import read_graph, write_graph
from dltrain.engine.graph_proof import Candidate, Step, Unproven, difference
from dltrain.engine.read_numbers import read_numbers
from dltrain.engine.traced_graph import TracedGraph
from dltrain.internals import fast_path
from dltrain.internals.determinism import is_deterministic

logger = logging.getLogger(__name__)

Again = Callable[[Exception], Callable[..., Any] | None]

MOST_KEPT = 8  # architectures; each keeps the first model that had it

_kept: OrderedDict[str, SharedGraphs] = OrderedDict()
# Keras traces with global state, and Python would trace two graphs no faster side by side.
_lock = threading.RLock()


def _reads_nothing() -> None:
    return None


class SharedGraphs:
    """The graphs of one architecture, each traced when it is first wanted, or read from where a process has kept it.

    Args:
        model: compiled and built; the graphs are traced with it.
        functions: what is to be traced, by name; on this model.
        beside: the variables that they use beside the model's, such as the optimizer's.
        key: tells all that decides the graphs; None where nothing does, and no other model or process may share them.
        text: of the architecture, in the key.
    """

    def __init__(
        self,
        model: keras.Model,
        functions: Mapping[str, Callable[..., Any]],
        beside: Sequence[keras.Variable] = (),
        key: str | None = None,
        text: str = "",
    ) -> None:
        self._model = model
        self._functions = functions
        self._handles = _handles(model, beside)
        self._key = key
        self._text = text
        self._traced: dict[str, TracedGraph] = {}

    def function(
        self,
        name: str,
        arguments: Sequence[Any],
        model: keras.Model,
        beside: Sequence[keras.Variable] = (),
        step: Callable[[], Step | None] = _reads_nothing,
    ) -> Callable[..., Any] | None:
        """A graph that works on the variables of `model`.

        Args:
            name: of the function.
            arguments: tensors, or structures of them, such as it will be called with; any number of rows will do.
            model: of the same architecture.
            beside: its counterparts of what the first model has beside its own variables.
            step: gives what the graph is compared with before others get it; None if it reads no numbers.

        Returns:
            None where the graph holds something of the first model that the other has no counterpart for, or where it
            is not proven that the graph reads what it should.
        """
        specifications = tf.nest.map_structure(_any_number_of_rows, tuple(arguments))
        if not _can_share():
            return cast("Callable[..., Any]", self._trace(name, specifications))
        wanted = f"{name} {specifications}"
        own = model is self._model
        handles = self._handles if own else _handles(model, beside)
        key = f"{self._key} {wanted}"
        candidate = Candidate(model, beside, handles, self._text, step)
        with _lock:
            if wanted not in self._traced:
                found = None if self._key is None else self._read(name, key)
                self._traced[wanted] = found or self._trace_and_prove(name, specifications, key, candidate)
            traced = self._traced[wanted]
        call = traced.on(handles, own)
        if traced.function is not None or call is None:
            return call

        def again(error: Exception) -> Callable[..., Any] | None:
            with _lock:
                if self._traced[wanted] is traced:
                    logger.warning("The cached %s graph fails, and is traced again (%s)", name, error)
                    self._traced[wanted] = self._trace_and_prove(name, specifications, key, candidate)
            return self._traced[wanted].on(handles, own)

        return _unless_damaged(call, again)

    def _read(self, name: str, key: str) -> TracedGraph | None:
        began = time.perf_counter()
        found = read_graph(key, len(self._handles))
        if found is not None:
            logger.debug("The %s graph was read in %.3f s", name, time.perf_counter() - began)
        return found

    def _trace_and_prove(self, name: str, specifications: Any, key: str, candidate: Candidate) -> TracedGraph:
        began = time.perf_counter()
        found = TracedGraph.of(self._trace(name, specifications), self._handles)
        logger.debug("The %s graph was traced in %.3f s", name, time.perf_counter() - began)
        if self._key is not None and found.takes_variables_alone:
            try:
                write_graph(key, found, difference(found, candidate))
            except Unproven as reason:
                logger.debug("The %s graph is neither shared nor kept: %s", name, reason)
                return replace(found, shared=False)
        return found

    def _trace(self, name: str, specifications: Any) -> Any:
        return tf.function(self._functions[name], autograph=False).get_concrete_function(*specifications)


def graphs_of(
    model: keras.Model,
    batch_size: int | None,
    functions: Mapping[str, Callable[..., Any]],
    beside: Sequence[keras.Variable] = (),
    *,
    compiled: object = False,
) -> SharedGraphs:
    """The graphs that a model shares with all of its architecture, where that decides them; else graphs of its own.

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
        return SharedGraphs(model, functions, beside)
    others = [(tuple(variable.shape), variable.dtype) for variable in beside]
    key = f"{batch_size} {compiled} {is_deterministic()} {others} {text}"
    with _lock:
        found = _kept.pop(key, None) or SharedGraphs(model, functions, beside, key, text)
        _kept[key] = found
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return found


def _can_share() -> bool:
    """Whether a graph can be called on other variables: not on those that every replica has."""
    return fast_path.is_whole() and not tf.distribute.has_strategy()


def _unless_damaged(call: Callable[..., Any], again: Again | None) -> Callable[..., Any]:
    """Returns a call of a graph from a file, which traces anew where TensorFlow cannot run it the first time."""
    calls = [call]

    def checked(*arguments: Any) -> Any:
        nonlocal again  # which holds the rows of the first call
        if again is None:
            return calls[0](*arguments)
        try:
            return call(*arguments)
        except tf.errors.OpError as error:
            other = again(error)
            if other is None:
                raise
            calls[0] = other
        finally:
            again = None
        return calls[0](*arguments)

    return checked


def _handles(model: keras.Model, beside: Sequence[keras.Variable]) -> list[Any]:
    if not _can_share():
        return []
    own = (*model.variables, *model.metrics_variables, *beside)
    return [*(variable.value.handle for variable in own), *(variable.handle for variable in read_numbers(model))]


def _any_number_of_rows(tensor: Any) -> tf.TensorSpec:
    return tf.TensorSpec((None, *tensor.shape[1:]) if len(tensor.shape) else (), tensor.dtype)
