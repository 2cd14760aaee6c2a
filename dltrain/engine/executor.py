"""Chooses how TensorFlow runs a graph: which optimizations come before, and in how many threads operations start."""

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
# On a CPU these passes find nothing in a training and take longer than many trainings. Remapping joins products and
# biases, with the same numbers to the bit, and made no epoch faster, of convolutions neither. A second round of all
# passes is left out too: it changed the last bit of a sum in one of twenty kinds of networks, and made no epoch faster.
SKIPPED_PASSES = (
    "dependency_optimization",
    "function_optimization",
    "implementation_selector",
    "layout_optimizer",
    "loop_optimization",
    "memory_optimization",
    "pin_to_host_optimization",
    "remapping",
    "scoped_allocator_optimization",
    "shape_optimization",
)


def settings(*, calls: bool, optimized: bool = False) -> dict[str, Any]:
    """Returns the attributes for calling a graph.

    `calls` tells whether it calls another one, and `optimized` whether TensorFlow's optimizer has seen it already.
    """
    as_set = call_settings()
    gpu = bool(tf.config.list_physical_devices("GPU"))
    config = as_set if gpu else _quickly_optimized(as_set)
    return {"executor_type": executor(calls=calls), "config_proto": _not_optimized(config) if optimized else config}


def executor(*, calls: bool) -> str:
    """Returns TensorFlow's executor for a graph, such that no operation is handed from thread to thread.

    It could deadlock in a graph that calls another one (`calls`), so that only graphs without calls have it, and only
    without a GPU, where operations wait for copies, and without replicas, which wait for each other.
    """
    parallel = calls or tf.distribute.has_strategy() or tf.config.list_physical_devices("GPU")
    return "" if parallel else IN_TURN


def libraries() -> str:
    """Returns the versions of TensorFlow and Keras and the kinds of the devices, which all influence a graph."""
    devices = [device.device_type for device in tf.config.list_physical_devices()]
    return f"{tf.__version__} {keras.__version__} {devices}"


def called(function: FunctionDef) -> Iterator[Any]:
    """Yields the functions that a graph calls, with loops and branches, by name and attributes."""
    for node in function.node_def:
        for attribute in node.attr.values():
            if attribute.HasField("func"):
                yield attribute.func
            yield from attribute.list.func


@functools.cache
def _quickly_optimized(as_set: bytes) -> bytes:
    config = ConfigProto.FromString(as_set)
    rewriting = config.graph_options.rewrite_options
    for name in SKIPPED_PASSES:
        if not getattr(rewriting, name):  # not set by a person
            setattr(rewriting, name, RewriterConfig.NO_MEM_OPT if name == "memory_optimization" else RewriterConfig.OFF)
    rewriting.meta_optimizer_iterations = RewriterConfig.ONE
    return bytes(config.SerializeToString(deterministic=True))


@functools.cache
def _not_optimized(settings: bytes) -> bytes:
    config = ConfigProto.FromString(settings)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return bytes(config.SerializeToString(deterministic=True))
