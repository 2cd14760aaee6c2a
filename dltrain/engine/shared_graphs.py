"""Traces a graph once for all models of an architecture; each model runs it on its own variables.

Tracing takes longer than many small trainings, and the graphs of folds, seeds and jobs of a sweep differ only in the
variables that they read and write.
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
from dltrain.engine.graph_proof import Candidate, Step, Unproven, prove
from dltrain.engine.read_numbers import read_numbers
from dltrain.engine.traced_graph import TracedGraph
from dltrain.internals import fast_path
from dltrain.internals.determinism import is_deterministic

logger = logging.getLogger(__name__)

Again = Callable[[Exception], Callable[..., Any] | None]

MOST_KEPT = 8  # of architectures, each with the first model that had it

_kept: OrderedDict[str, SharedGraphs] = OrderedDict()
# Keras traces with global state, and Python would not trace two graphs faster at the same time.
_lock = threading.RLock()


def _reads_nothing() -> None:
    return None


class SharedGraphs:
    """The graphs of one architecture, each traced when it is first needed, or read from a file.

    `model` is compiled and built; the graphs are traced with its `functions`, by name, and use its variables and those
    `beside`, such as the optimizer's. `key` tells everything that decides the graphs, with the `text` of the
    architecture; if it is None, no other model or process may share them.
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
        """Returns a graph that works on the variables of `model`, which has the same architecture.

        `arguments` are tensors, or structures of them, like those of later calls, with any number of rows. `beside`
        corresponds to that of the first model. `step` returns what the graph is compared with before others get it;
        None if it reads no numbers. It returns None if the graph uses something of the first model that the other
        lacks, or is not proven to read what it should.
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
                write_graph(key, *prove(found, candidate))
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
    """Returns the graphs that a model shares with all of its architecture, or its own if the architecture is unknown.

    `batch_size` is the number of rows in a training step, which is a constant of the graphs; None is for graphs that do
    not train, which models with different optimizers share. `compiled` tells what XLA compiles of a training step. The
    other parameters are those of `SharedGraphs`.
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
    """Returns whether a graph can be called on other variables, which is not so on replicas."""
    return fast_path.is_whole() and not tf.distribute.has_strategy()


def _unless_damaged(call: Callable[..., Any], again: Again | None) -> Callable[..., Any]:
    """Returns a call of a graph from a file, which is traced again if TensorFlow cannot run it the first time."""
    calls = [call]

    def checked(*arguments: Any) -> Any:
        nonlocal again  # freed after the first call, whose rows it holds
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
