from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.config_pb2 import ConfigProto

from dltrain.internals.tensorflow_graphs import (
    call_settings,
    caller,
    define,
    definition,
    executed_by,
    forget,
    telling_where,
)


def traced() -> tf.types.experimental.ConcreteFunction:
    def one_more(x: tf.Tensor) -> tf.Tensor:
        return tf.debugging.check_numerics(x, "not finite") + 1

    return tf.function(one_more, autograph=False).get_concrete_function(tf.TensorSpec((), tf.float32))


def test_graph_of_another_name_is_called_until_it_is_forgotten() -> None:
    function = traced()
    copy = definition(function.function_def.signature.name)
    copy.signature.name = "copied"
    define(copy)
    call = caller("copied", 1, ("executor_type", "", "config_proto", call_settings()))
    assert float(call([tf.constant(1.0)])[0]) == 2.0
    assert definition("copied").signature.name == "copied"
    forget(["copied"])
    with pytest.raises(tf.errors.NotFoundError):
        definition("copied")


def test_settings_are_those_of_every_call() -> None:
    assert ConfigProto.FromString(call_settings()).device_count


def test_error_tells_the_line_that_made_the_operation() -> None:
    function = traced()
    call = caller(function.function_def.signature.name, 1, ("executor_type", "", "config_proto", call_settings()))
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        call([tf.constant(np.inf)])
    assert "test_tensorflow_graphs.py" not in raised.value.message
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"test_tensorflow_graphs\.py"), telling_where(function):
        raise raised.value


def test_calls_within_a_graph_name_their_executor() -> None:
    inner = tf.function(lambda x: x + 1)

    def outer(x: tf.Tensor) -> tf.Tensor:
        with executed_by("SINGLE_THREADED_EXECUTOR"):
            return inner(x)

    made = tf.function(outer, autograph=False).get_concrete_function(tf.TensorSpec((), tf.float32))
    (node,) = [node for node in made.function_def.node_def if "PartitionedCall" in node.op]
    assert node.attr["executor_type"].s == b"SINGLE_THREADED_EXECUTOR"
