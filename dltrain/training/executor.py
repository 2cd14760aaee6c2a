"""How TensorFlow is to run the operations of a graph: one after the other, or in several threads."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.python.eager import context


def executor(*, calls: bool) -> Callable[[], Any]:
    """Gives contexts in which a graph is to be called, so that no operation is handed from thread to thread.

    A function that calls another one in this way could wait for it for ever, so only a graph without calls is run
    so, and only without a GPU, where operations wait for copies, and without replicas that wait for each other.

    Args:
        calls: whether the graph calls another one.
    """
    parallel = calls or tf.distribute.has_strategy() or tf.config.list_physical_devices("GPU")
    return functools.partial(context.function_executor_type, "" if parallel else "SINGLE_THREADED_EXECUTOR")


def called(function: FunctionDef) -> Iterator[Any]:
    """The functions that a graph calls, loops and branches among them, by name and attributes.

    Args:
        function: of the graph.
    """
    for node in function.node_def:
        for attribute in node.attr.values():
            if attribute.HasField("func"):
                yield attribute.func
            yield from attribute.list.func
