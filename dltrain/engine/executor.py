"""How TensorFlow is to run a graph: what it optimizes before, and in how many threads its operations are begun."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig

from dltrain.internals.tensorflow_graphs import call_settings

IN_TURN = "SINGLE_THREADED_EXECUTOR"
# They find nothing in a training on a CPU, but look for it longer than many a training lasts. A second round of all is
# left out as well: it changed the last bit of a sum in one of twenty kinds of networks, and no epoch became slower.
LEFT_OUT = (
    "dependency_optimization",
    "function_optimization",
    "implementation_selector",
    "layout_optimizer",
    "loop_optimization",
    "memory_optimization",
    "pin_to_host_optimization",
    "scoped_allocator_optimization",
    "shape_optimization",
)


def settings(*, calls: bool) -> dict[str, Any]:
    """The attributes of the call of a graph.

    Args:
        calls: whether the graph calls another one.
    """
    as_set = call_settings()
    gpu = bool(tf.config.list_physical_devices("GPU"))
    return {"executor_type": executor(calls=calls), "config_proto": as_set if gpu else _quickly_optimized(as_set)}


def executor(*, calls: bool) -> str:
    """TensorFlow's executor of a graph, so that no operation is handed from thread to thread.

    A function that calls another one in this way could wait for it for ever, so only a graph without calls is run
    so, and only without a GPU, where operations wait for copies, and without replicas that wait for each other.

    Args:
        calls: whether the graph calls another one.
    """
    parallel = calls or tf.distribute.has_strategy() or tf.config.list_physical_devices("GPU")
    return "" if parallel else IN_TURN


def libraries() -> str:
    """What runs a graph: the versions of TensorFlow and Keras, and the kinds of the devices."""
    devices = [device.device_type for device in tf.config.list_physical_devices()]
    return f"{tf.__version__} {keras.__version__} {devices}"


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


@functools.cache
def _quickly_optimized(as_set: bytes) -> bytes:
    config = ConfigProto.FromString(as_set)
    rewriting = config.graph_options.rewrite_options
    for name in LEFT_OUT:
        if not getattr(rewriting, name):  # nobody has set it
            setattr(rewriting, name, RewriterConfig.NO_MEM_OPT if name == "memory_optimization" else RewriterConfig.OFF)
    rewriting.meta_optimizer_iterations = RewriterConfig.ONE
    return bytes(config.SerializeToString(deterministic=True))
