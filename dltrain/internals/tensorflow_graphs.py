"""Defines, calls and frees TensorFlow functions by name, and sets how they run, which public functions hide.

Everything is imported at the first call, so that a release without one of the names ends no run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

NAMES = (
    "tensorflow.python.eager.context.Context.add_function_def",
    "tensorflow.python.eager.context.Context.disable_graph_collection",
    "tensorflow.python.eager.context.Context.enable_graph_collection",
    "tensorflow.python.eager.context.Context.export_run_metadata",
    "tensorflow.python.eager.context.Context.function_call_options",
    "tensorflow.python.eager.context.Context.get_function_def",
    "tensorflow.python.eager.context.Context.remove_function",
    "tensorflow.python.eager.context.FunctionCallOptions.config_proto_serialized",
    "tensorflow.python.eager.context.context",
    "tensorflow.python.eager.context.function_executor_type",
    "tensorflow.python.eager.execute.execute",
    "tensorflow.python.eager.polymorphic_function.atomic_function.InterpolateRuntimeError",
    "tensorflow.python.eager.polymorphic_function.concrete_function.ConcreteFunction._inference_function",
    "tensorflow.python.framework.op_def_registry.get",
)


def define(function: Any) -> None:
    """Defines a FunctionDef under its name; publicly a function can only be traced or loaded."""
    from tensorflow.python.eager import context

    context.context().add_function_def(function)


def definition(name: str) -> Any:
    """Returns the FunctionDef of a name; the public `function_def` of a traced function lacks those that it calls."""
    from tensorflow.python.eager import context

    return context.context().get_function_def(name)


def forget(names: Iterable[str]) -> None:
    """Frees functions that `define` defined."""
    from tensorflow.python.eager import context

    for name in names:
        context.context().remove_function(name)


def caller(name: str, outputs: int, attributes: Sequence[Any]) -> Callable[[list[Any]], list[Any]]:
    """Returns a function that calls a defined one; publicly one runs only on the variables that it was traced with.

    It returns `outputs` tensors. `attributes` are names and values in turn, such as `executor_type` and `config_proto`.
    """
    from tensorflow.python.eager import context
    from tensorflow.python.eager.execute import execute

    surroundings = context.context()
    return lambda inputs: cast("list[Any]", execute(name, outputs, inputs, attributes, surroundings))


def telling_where(function: Any) -> AbstractContextManager[None]:
    """Adds to errors of a traced concrete function the line of Python that made the operation."""
    from tensorflow.python.eager.polymorphic_function.atomic_function import InterpolateRuntimeError

    return cast("AbstractContextManager[None]", InterpolateRuntimeError(function._inference_function))


def call_settings() -> bytes:
    """Returns the serialized ConfigProto of each function call, which public options only tell in parts."""
    from tensorflow.python.eager import context

    return cast("bytes", context.context().function_call_options.config_proto_serialized)


def executed_by(executor: str) -> AbstractContextManager[None]:
    """Makes calls of functions that are traced in this context name an executor."""
    from tensorflow.python.eager import context

    return cast("AbstractContextManager[None]", context.function_executor_type(executor))


@contextmanager
def collecting_graphs() -> Iterator[list[Any]]:
    """Fills a list, at the end of the context, with the graphs of functions that were called in it for the first time.

    Each has a `post_optimization_graph`; no public function tells what the optimizer makes of a graph.
    """
    from tensorflow.python.eager import context

    surroundings, found = context.context(), list[Any]()
    surroundings.enable_graph_collection()
    try:
        yield found
        found.extend(surroundings.export_run_metadata().function_graphs)
    finally:
        surroundings.disable_graph_collection()


def output_names(node: Any) -> list[str]:
    """Returns the outputs of a NodeDef as functions name them: `name:place`, where an output may be a list."""
    from tensorflow.python.framework import op_def_registry

    names = []
    for each in op_def_registry.get(node.op).output_arg:
        count = 1
        if each.number_attr:
            count = node.attr[each.number_attr].i
        elif each.type_list_attr:
            count = len(node.attr[each.type_list_attr].list.type)
        names += [f"{each.name}:{place}" for place in range(count)]
    return names
