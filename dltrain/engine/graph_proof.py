"""Proves that a graph may run for other models, before another model or another process gets it.

What the key of an architecture leaves out, a graph has to read from variables when it runs. So every setting is looked
for in the key, every number that it leaves out among what the graph takes beside its arguments; then all these numbers
are changed, and a step of the graph is compared with Keras' own step, which knows nothing of variables. A release of
TensorFlow or Keras that writes a number into the graph, or leaves one out of a configuration, then costs time alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.engine.read_numbers import must_be_read, other_numbers, plain_numbers
from dltrain.engine.scheduled_regularization import scheduled
from dltrain.engine.settings_told import settings_not_told
from dltrain.engine.traced_graph import TracedGraph
from dltrain.internals.keras_training import rate_variable

TOLERANCE = 1e-5  # of a difference to Keras' own step, relative


class Unproven(Exception):  # noqa: N818 - no failure of the run
    """Tells why a graph is neither shared nor kept."""


@dataclass(frozen=True)
class Step:
    """One step of a graph and the same one of Keras.

    Attributes:
        arguments: of the graph, a few rows.
        of_keras: does in Keras alone what the graph does, and gives the loss.
        trains: whether the weights change.
    """

    arguments: Sequence[Any]
    of_keras: Callable[[], Any]
    trains: bool


@dataclass(frozen=True)
class Candidate:
    """The model that is to run a graph first.

    Attributes:
        model: of the architecture.
        beside: the variables that the graph uses beside the model's.
        handles: of all its variables.
        text: of the architecture.
        step: gives what the graph is compared with; None where it reads no number.
    """

    model: keras.Model
    beside: Sequence[keras.Variable]
    handles: Sequence[Any]
    text: str
    step: Callable[[], Step | None]


def difference(graph: TracedGraph, candidate: Candidate) -> float:
    """Proves that a graph reads every number that it should, and returns its relative difference to Keras' own step.

    Args:
        graph: that takes variables alone.
        candidate: left to the last bit as it was.

    Raises:
        Unproven: a setting is neither told nor read, or the difference is above `TOLERANCE`.
    """
    missing = settings_not_told(candidate.model, candidate.text)
    if missing:
        raise Unproven(f"the architecture does not tell {missing[0]}")
    step = candidate.step()
    if step is None:
        return 0.0
    captured = {id(candidate.handles[place]) for place in graph.captured}
    for name, handle in _must_capture(candidate.model, step.trains):
        if id(handle) not in captured:
            raise Unproven(f"it does not read {name}")
    call = graph.on(candidate.handles, own=True)
    largest = _compare(candidate.model, candidate.beside, call, step)
    if not largest <= TOLERANCE:
        raise Unproven(f"with other numbers it differs from Keras' own step by {largest:.1e}")
    return largest


def _compare(model: keras.Model, beside: Sequence[keras.Variable], graph: Any, step: Step) -> float:
    variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables, *beside]
    before = [np.array(variable) for variable in variables]

    def begin() -> None:
        _assign(variables, before)
        if step.trains:
            _prepare(model.optimizer)

    try:
        with other_numbers(model):
            begin()
            results = graph(*step.arguments)
            ours = _state(model, (results if isinstance(results, Mapping) else results[0])["loss"])
            begin()
            with plain_numbers(model):
                theirs = _state(model, step.of_keras())
            return _largest(ours, theirs, before[: len(model.variables)])
    except (tf.errors.OpError, ValueError, TypeError, RuntimeError, AttributeError, LookupError) as error:
        reason = str(error).partition("\n")[0]
        raise Unproven(f"it cannot be compared with Keras' own step ({reason})") from error
    finally:
        _assign(variables, before)


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
    """Gives another rate, and a past with which Adam does not blow up the rounding of tiny gradients."""
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
    """Returns the largest difference, relative to what a tensor holds and to the longest way of any weight."""
    ways = [
        np.abs(their - old).max(initial=0) for their, old in zip(theirs[1:], weights, strict=False) if _is_float(old)
    ]
    way = max(ways, default=0.0)
    largest = 0.0
    for place, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        if not np.array_equal(our, their, equal_nan=_is_float(our)):
            if not _is_float(our):
                return float("inf")  # other draws
            largest = max(largest, float(np.abs(our - their).max() / (np.abs(their).max() + (way if place else 0.01))))
    return largest


def _is_float(values: npt.NDArray[Any]) -> bool:
    return bool(np.issubdtype(values.dtype, np.floating))
