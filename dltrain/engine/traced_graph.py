"""Calls a traced graph by its name on any model's variables, and converts it for a file."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.core.framework.function_pb2 import FunctionDef, FunctionDefLibrary

from dltrain.engine.executor import called, settings
from dltrain.internals.tensorflow_graphs import caller, define, definition, forget, telling_where

PYTHON = ("PyFunc", "PyFuncStateless", "EagerPyFunc")  # operations that call functions of this process
BRANCHING = ("Enter", "Merge", "Switch")

_numbers = itertools.count(1)


class Contents(NamedTuple):
    """What a file holds of a graph."""

    captured: Sequence[int]  # which of a model's variables are inputs of the graph
    results: Any  # the structure of its results, with indices of outputs instead of tensors
    functions: bytes  # tensorFlow's serialization of the graph's function, followed by those it calls
    optimized: bool = False  # whether TensorFlow's optimizer has seen it already


@dataclass(frozen=True, eq=False)
class TracedGraph:
    """A graph that TensorFlow knows by a name."""

    name: str  # the name of its function
    captured: Sequence[Any]  # its inputs besides the arguments: indices of a model's variables, or other tensors
    results: Any  # the structure of its results, with indices of outputs instead of tensors
    outputs: int  # the number of outputs
    calls: bool  # whether it calls another graph, or has loops or branches that an optimizer took from one
    function: Any = None  # tensorFlow's object, which must live as long as the graph; None for a graph from a file
    shared: bool = True  # whether other models may run it
    optimized: bool = False  # whether TensorFlow's optimizer has seen it already

    @classmethod
    def of(cls, function: Any, handles: Sequence[Any]) -> TracedGraph:
        """Wraps a concrete function that was just traced with a model whose variables have these handles."""
        places = {id(handle): place for place, handle in enumerate(handles)}
        captured = [places.get(id(tensor), tensor) for tensor in function.captured_inputs]
        numbers = itertools.count()
        results = tf.nest.map_structure(
            lambda leaf: next(numbers) if tf.is_tensor(leaf) else None, function.structured_outputs
        )
        return cls._defined(function.function_def, captured, results, function)

    @classmethod
    def read(cls, contents: Contents) -> TracedGraph:
        """Defines a graph that another process traced.

        Raises:
            ValueError: If results and functions do not fit.
        """
        library = FunctionDefLibrary.FromString(contents.functions)
        outputs = range(len(library.function[0].signature.output_arg))
        if not {*tf.nest.flatten(contents.results)} <= {None, *outputs}:
            raise ValueError("The results are not among the outputs.")
        # New names, since each process numbers its functions from zero, and this one may read the graph again.
        number = next(_numbers)
        names = {each.signature.name: f"kept_{number}_{place}" for place, each in enumerate(library.function)}
        for each in library.function:
            each.signature.name = names[each.signature.name]
            for other in called(each):
                other.name = names[other.name]
            define(each)
        made = cls._defined(library.function[0], contents.captured, contents.results)
        made = replace(made, optimized=contents.optimized)
        weakref.finalize(made, forget, list(names.values())).atexit = False
        return made

    @classmethod
    def _defined(
        cls, definition: FunctionDef, captured: Sequence[Any], results: Any, function: Any = None
    ) -> TracedGraph:
        outputs = len(definition.signature.output_arg)
        calls = any(called(definition)) or any(node.op in BRANCHING for node in definition.node_def)
        return cls(definition.signature.name, captured, results, outputs, calls, function)

    @property
    def takes_variables_alone(self) -> bool:
        """Whether all its inputs besides the arguments are variables of the model."""
        return all(isinstance(place, int) for place in self.captured)

    def contents(self) -> Contents | None:
        """Returns what another process needs of it; None if it uses something of this process."""
        if not self.takes_variables_alone:
            return None
        functions = {self.name: definition(self.name)}
        waiting = [self.name]
        while waiting:
            for other in called(functions[waiting.pop()]):
                if other.name not in functions:
                    functions[other.name] = definition(other.name)
                    waiting.append(other.name)
        if any(node.op in PYTHON for each in functions.values() for node in each.node_def):
            return None
        library = FunctionDefLibrary(function=functions.values())
        return Contents(self.captured, self.results, library.SerializeToString(), self.optimized)

    def on(self, handles: Sequence[Any], own: bool) -> Callable[..., Any] | None:
        """Returns the graph on the variables with these handles, to be called with tensors or structures of them.

        `own` tells whether they are those of the model that it was traced with. Another model gets None if the graph is
        not shared or has inputs that are no variables.
        """
        if not own and not (self.shared and self.takes_variables_alone):
            return None
        captured = [handles[each] if isinstance(each, int) else each for each in self.captured]
        attributes = tuple(itertools.chain(*settings(calls=self.calls, optimized=self.optimized).items()))
        run = caller(self.name, self.outputs, attributes)

        def call(*arguments: Any) -> Any:
            try:
                outputs = run([*tf.nest.flatten(arguments), *captured])
            except tf.errors.OpError as error:
                if self.function is None:
                    raise
                with telling_where(self.function):
                    raise error
            return _filled(self.results, outputs)

        return call


def _filled(results: Any, outputs: Sequence[Any]) -> Any:
    if isinstance(results, dict):
        return {name: _filled(each, outputs) for name, each in results.items()}
    if isinstance(results, (list, tuple)):
        return [_filled(each, outputs) for each in results]
    return None if results is None else outputs[results]
