"""Proves that a graph may run for other models, before another model or process gets it.

A graph has to read from variables what the key of its architecture leaves out. So every setting is searched in the key,
and every number that the key leaves out among the inputs of the graph. Then all these numbers are changed, and a step
of the graph is compared with Keras' own step, which knows nothing of variables. If a release of TensorFlow or Keras
writes a number into the graph or leaves one out of a configuration, this only costs time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.engine.optimized_graph import optimized
from dltrain.engine.read_numbers import must_be_read, other_numbers, plain_numbers
from dltrain.engine.scheduled_regularization import scheduled
from dltrain.engine.settings_told import settings_not_told
from dltrain.engine.step import train_step
from dltrain.engine.traced_graph import TracedGraph
from dltrain.internals.keras_training import all_layers, rate_variable
from dltrain.internals.tensorflow_graphs import collecting_graphs
from dltrain.preprocessing.rows import gather

ROWS = 8  # of a compared step
TOLERANCE = 1e-5  # largest relative difference to Keras' own step


class Unproven(Exception):  # noqa: N818 - no failure of the run
    """Tells why a graph is neither shared nor kept."""


@dataclass(frozen=True)
class Step:
    """One step of a graph and the same step of Keras."""

    arguments: Sequence[Any]  # the arguments of the graph, with a few rows
    of_keras: Callable[[], Any]  # does in Keras alone what the graph does, and returns the loss
    trains: bool  # whether the weights change


@dataclass(frozen=True)
class Candidate:
    """The model that is to run a graph first."""

    model: keras.Model
    beside: Sequence[keras.Variable]  # the variables that the graph uses in addition to the model's
    handles: Sequence[Any]  # the handles of all its variables
    text: str  # the text of its architecture
    step: Callable[[], Step | None]  # returns the step that the graph is compared with; None if it reads no number


def step_of(model: keras.Model, name: str, arguments: Sequence[Any], batch_size: int, *, compiled: bool) -> Step | None:
    """Returns the step that a graph of `Graphs`, called with these arguments, is compared with; None for others.

    `compiled` tells whether XLA compiles the graph's steps.
    """
    if name == "train":
        features, targets, weights, order, *_ = arguments
        # XLA would compile again for a batch of another size.
        rows = order[: batch_size if compiled else min(batch_size, ROWS)]
        steps = tf.constant([0, 1], tf.int64)
        few: Sequence[Any] = (features, targets, weights, rows, *steps, tf.constant(True))
        counts = () if isinstance(weights, tuple) else (tf.gather(weights, rows),)
    elif name.startswith("test"):
        features, targets, rows = *arguments[:2], arguments[2][:ROWS]
        few, counts = (features, targets, rows, *arguments[3:]), tuple(tf.gather(each, rows) for each in arguments[3:])
    else:
        return None
    one_step = functools.partial(train_step, model) if name == "train" else model.test_step
    # An eager loop over words is slow, and XLA draws other random numbers.
    if compiled or any(isinstance(layer, keras.layers.RNN) for layer in all_layers(model)):
        one_step = tf.function(one_step, autograph=False, jit_compile=compiled)

    def of_keras() -> Any:
        model.reset_metrics()
        return one_step((gather(features, rows), tf.gather(targets, rows), *counts))["loss"]

    return Step(few, of_keras, trains=name == "train")


def prove(graph: TracedGraph, candidate: Candidate) -> tuple[TracedGraph, float]:
    """Proves that a graph reads every number that it should; returns what to keep, and how far it is from Keras' step.

    What to keep is the graph as TensorFlow optimized it, if that has the same results to the bit; the distance is the
    largest relative difference. The graph takes only variables. The candidate's have the same values afterwards.

    Raises:
        Unproven: If a setting is neither in the text nor read, or the difference is above `TOLERANCE`.
    """
    missing = settings_not_told(candidate.model, candidate.text)
    if missing:
        raise Unproven(f"the architecture does not tell {missing[0]}")
    step = candidate.step()
    if step is None:
        return graph, 0.0
    captured = {id(candidate.handles[place]) for place in graph.captured}
    for name, handle in _must_capture(candidate.model, step.trains):
        if id(handle) not in captured:
            raise Unproven(f"it does not read {name}")
    largest, kept = _compare(candidate, graph, step)
    if not largest <= TOLERANCE:
        raise Unproven(f"with other numbers it differs from Keras' own step by {largest:.1e}")
    return kept, largest


def _compare(candidate: Candidate, graph: TracedGraph, step: Step) -> tuple[float, TracedGraph]:
    model = candidate.model
    variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables, *candidate.beside]
    before = [np.array(variable) for variable in variables]

    def begin() -> None:
        _assign(variables, before)
        if step.trains:
            _prepare(model.optimizer)

    def run(other: TracedGraph) -> Any:
        begin()
        call = other.on(candidate.handles, own=True)
        return None if call is None else call(*step.arguments)

    try:
        with other_numbers(model):
            with collecting_graphs() as made:
                results = run(graph)
            ours = _state(model, (results if isinstance(results, Mapping) else results[0])["loss"])
            kept = _same(run, optimized(graph, made), results, model) or graph
            begin()
            with plain_numbers(model):
                theirs = _state(model, step.of_keras())
            return _largest(ours, theirs, before[: len(model.variables)]), kept
    except (tf.errors.OpError, ValueError, TypeError, RuntimeError, AttributeError, LookupError) as error:
        reason = str(error).partition("\n")[0]
        raise Unproven(f"it cannot be compared with Keras' own step ({reason})") from error
    finally:
        _assign(variables, before)


def _same(
    run: Callable[[TracedGraph], Any], graph: TracedGraph | None, results: Any, model: keras.Model
) -> TracedGraph | None:
    """Returns a graph if it has these results and leaves the model as it is, to the bit; else None."""
    if graph is None:
        return None
    expected = [*tf.nest.flatten(results), *_state(model, 0.0)]
    try:
        found = [*tf.nest.flatten(run(graph)), *_state(model, 0.0)]
    except tf.errors.OpError:
        return None
    alike = len(found) == len(expected) and all(
        np.array(one).tobytes() == np.array(other).tobytes() for one, other in zip(found, expected, strict=True)
    )
    return graph if alike else None


def _must_capture(model: keras.Model, trains: bool) -> Iterator[tuple[str, Any]]:
    yield from ((name, variable.handle) for name, variable in must_be_read(model, trains=trains))
    if not trains:
        return
    rate, changing = rate_variable(model.optimizer), scheduled(model.optimizer)
    if rate is not None:
        yield "the learning rate", rate.value.handle
    if changing is not None:
        yield "the share of regularization", changing.share.value.handle


def _prepare(optimizer: keras.optimizers.Optimizer) -> None:
    """Changes the learning rate, and sets a state with which Adam does not enlarge the rounding of tiny gradients."""
    for variable in optimizer.variables:
        if len(variable.shape) and keras.backend.is_float_dtype(variable.dtype):
            variable.assign(keras.ops.full(variable.shape, 0.5, variable.dtype))
    if (rate := rate_variable(optimizer)) is not None:
        rate.assign(0.4 if abs(float(rate) - 0.4) > 0.1 else 0.6)
    if (changing := scheduled(optimizer)) is not None:
        changing.share.assign(0.7)


def _assign(variables: Sequence[keras.Variable], values: Sequence[npt.NDArray[Any]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _state(model: keras.Model, loss: Any) -> list[npt.NDArray[Any]]:
    return [np.array(loss, ndmin=1), *(np.array(each) for each in (*model.variables, *model.optimizer.variables))]


def _largest(
    ours: Sequence[npt.NDArray[Any]], theirs: Sequence[npt.NDArray[Any]], weights: Sequence[npt.NDArray[Any]]
) -> float:
    """Returns the largest difference, relative to the values of a tensor plus the largest change of any weight."""
    ways = [
        np.abs(their - old).max(initial=0) for their, old in zip(theirs[1:], weights, strict=False) if _is_float(old)
    ]
    way = max(ways, default=0.0)
    largest = 0.0
    for place, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        if not np.array_equal(our, their, equal_nan=_is_float(our)):
            if not _is_float(our):
                return float("inf")  # other random numbers were drawn
            largest = max(largest, float(np.abs(our - their).max() / (np.abs(their).max() + (way if place else 0.01))))
    return largest


def _is_float(values: npt.NDArray[Any]) -> bool:
    return bool(np.issubdtype(values.dtype, np.floating))
