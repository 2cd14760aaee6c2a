"""Graphs that TensorFlow knows by a name, and how it is to run them: its public functions hide both.

Everything is imported at the first call, so that a release without one of the names ends no run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

NAMES = (
    "tensorflow.python.eager.context.Context.add_function_def",
    "tensorflow.python.eager.context.Context.function_call_options",
    "tensorflow.python.eager.context.Context.get_function_def",
    "tensorflow.python.eager.context.Context.remove_function",
    "tensorflow.python.eager.context.FunctionCallOptions.config_proto_serialized",
    "tensorflow.python.eager.context.context",
    "tensorflow.python.eager.context.function_executor_type",
    "tensorflow.python.eager.execute.execute",
    "tensorflow.python.eager.polymorphic_function.atomic_function.InterpolateRuntimeError",
    "tensorflow.python.eager.polymorphic_function.concrete_function.ConcreteFunction._inference_function",
)


def define(function: Any) -> None:
    """Lets TensorFlow know a function by the name in its definition; publicly it can only be traced or loaded.

    Args:
        function: a FunctionDef.
    """
    from tensorflow.python.eager import context

    context.context().add_function_def(function)


def definition(name: str) -> Any:
    """The FunctionDef of a name; the public `function_def` of a traced function leaves out those that it calls."""
    from tensorflow.python.eager import context

    return context.context().get_function_def(name)


def forget(names: Iterable[str]) -> None:
    """Frees functions that were defined here; nothing public does that for a definition that was read."""
    from tensorflow.python.eager import context

    for name in names:
        context.context().remove_function(name)


def caller(name: str, outputs: int, attributes: Sequence[Any]) -> Callable[[list[Any]], list[Any]]:
    """Calls a function by its name; publicly a traced one runs on the variables that it was traced with alone.

    Args:
        name: of a function that TensorFlow knows.
        outputs: how many tensors it gives.
        attributes: names and values in turn, such as `executor_type` and `config_proto`.
    """
    from tensorflow.python.eager import context
    from tensorflow.python.eager.execute import execute

    surroundings = context.context()
    return lambda inputs: cast("list[Any]", execute(name, outputs, inputs, attributes, surroundings))


def telling_where(function: Any) -> AbstractContextManager[None]:
    """Has an error of a graph tell the line of Python that made the operation, as TensorFlow's own calls do.

    Args:
        function: the concrete function that was traced.
    """
    from tensorflow.python.eager.polymorphic_function.atomic_function import InterpolateRuntimeError

    return cast("AbstractContextManager[None]", InterpolateRuntimeError(function._inference_function))


def call_settings() -> bytes:
    """The serialized ConfigProto that each call of a function holds; the public options do not tell their sum."""
    from tensorflow.python.eager import context

    return cast("bytes", context.context().function_call_options.config_proto_serialized)


def executed_by(executor: str) -> AbstractContextManager[None]:
    """Has calls of functions that are traced meanwhile name an executor; no public call takes one."""
    from tensorflow.python.eager import context

    return cast("AbstractContextManager[None]", context.function_executor_type(executor))
