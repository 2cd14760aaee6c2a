"""A traced graph that is called by its name on any model's variables, and that a file can hold."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.core.framework.function_pb2 import FunctionDef, FunctionDefLibrary

from dltrain.engine.executor import called, settings
from dltrain.internals.tensorflow_graphs import caller, define, definition, forget, telling_where

PYTHON = ("PyFunc", "PyFuncStateless", "EagerPyFunc")  # call what only this process has

_numbers = itertools.count(1)


class Contents(NamedTuple):
    """What a file holds of a graph.

    Attributes:
        captured: places among a model's variables, of what the graph takes beside its arguments.
        results: what it gives, with places among its outputs in the place of tensors.
        functions: TensorFlow's own serialization of the graph's function, which comes first, and those it calls.
    """

    captured: Sequence[int]
    results: Any
    functions: bytes


@dataclass(frozen=True, eq=False)
class TracedGraph:
    """A graph that TensorFlow knows by a name.

    Attributes:
        name: of its function.
        captured: what it takes beside its arguments: places among a model's variables, or tensors that are no variable.
        results: what it gives, with places among its outputs in the place of tensors.
        outputs: how many it gives.
        calls: whether it calls another graph.
        function: TensorFlow's own object, which must live as long as the graph; None of a graph from a file.
        shared: whether other models may run it.
    """

    name: str
    captured: Sequence[Any]
    results: Any
    outputs: int
    calls: bool
    function: Any = None
    shared: bool = True

    @classmethod
    def of(cls, function: Any, handles: Sequence[Any]) -> TracedGraph:
        """A graph that was just traced.

        Args:
            function: concrete.
            handles: of the variables of the model with which it was traced.
        """
        places = {id(handle): place for place, handle in enumerate(handles)}
        captured = [places.get(id(tensor), tensor) for tensor in function.captured_inputs]
        numbers = itertools.count()
        results = tf.nest.map_structure(
            lambda leaf: next(numbers) if tf.is_tensor(leaf) else None, function.structured_outputs
        )
        return cls._defined(function.function_def, captured, results, function)

    @classmethod
    def read(cls, contents: Contents) -> TracedGraph:
        """A graph that another process traced.

        Args:
            contents: of `contents`.

        Raises:
            ValueError: they do not fit each other.
        """
        library = FunctionDefLibrary.FromString(contents.functions)
        outputs = range(len(library.function[0].signature.output_arg))
        if not {*tf.nest.flatten(contents.results)} <= {None, *outputs}:
            raise ValueError("The results are not among the outputs.")
        # TensorFlow counts the names of each process from zero, and this one may read the graph once more.
        number = next(_numbers)
        names = {each.signature.name: f"kept_{number}_{place}" for place, each in enumerate(library.function)}
        for each in library.function:
            each.signature.name = names[each.signature.name]
            for other in called(each):
                other.name = names[other.name]
            define(each)
        made = cls._defined(library.function[0], contents.captured, contents.results)
        weakref.finalize(made, forget, list(names.values())).atexit = False
        return made

    @classmethod
    def _defined(
        cls, definition: FunctionDef, captured: Sequence[Any], results: Any, function: Any = None
    ) -> TracedGraph:
        outputs, calls = len(definition.signature.output_arg), any(called(definition))
        return cls(definition.signature.name, captured, results, outputs, calls, function)

    @property
    def takes_variables_alone(self) -> bool:
        """Whether it takes nothing beside its arguments that another model has no counterpart for."""
        return all(isinstance(place, int) for place in self.captured)

    def contents(self) -> Contents | None:
        """What another process needs of it; None where it holds something of this one."""
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
        return Contents(self.captured, self.results, library.SerializeToString())

    def on(self, handles: Sequence[Any], own: bool) -> Callable[..., Any] | None:
        """The graph on a model's variables, to be called with tensors or structures of them.

        Args:
            handles: of the variables of a model of the same architecture.
            own: whether it is the model with which the graph was traced.

        Returns:
            None where this is another model, and the graph is not shared or holds something that is no variable.
        """
        if not own and not (self.shared and self.takes_variables_alone):
            return None
        captured = [handles[each] if isinstance(each, int) else each for each in self.captured]
        attributes = tuple(itertools.chain(*settings(calls=self.calls).items()))
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
