from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
from tensorflow.python.eager import context

from dltrain.engine.executor import IN_TURN, SKIPPED_PASSES, called, settings


def rewriting(*, calls: bool = False) -> Any:
    return ConfigProto.FromString(settings(calls=calls)["config_proto"]).graph_options.rewrite_options


def test_optimizes_once_what_can_be_found_there() -> None:
    found = rewriting()
    assert found.meta_optimizer_iterations == RewriterConfig.ONE
    assert all(getattr(found, name) for name in SKIPPED_PASSES)
    assert found.arithmetic_optimization == found.constant_folding == RewriterConfig.DEFAULT


def test_what_somebody_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    config = ConfigProto()
    config.graph_options.rewrite_options.loop_optimization = RewriterConfig.ON
    monkeypatch.setattr(context.context(), "function_call_options", context.FunctionCallOptions(config_proto=config))
    assert rewriting().loop_optimization == RewriterConfig.ON
    assert rewriting().shape_optimization == RewriterConfig.OFF


def test_with_a_gpu_everything_is_as_tensorflow_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["one"])
    assert rewriting().meta_optimizer_iterations == RewriterConfig.DEFAULT_NUM_ITERS
    assert settings(calls=False)["executor_type"] == ""


def test_only_a_graph_without_calls_is_run_in_turn() -> None:
    assert settings(calls=False)["executor_type"] == IN_TURN
    assert settings(calls=True)["executor_type"] == ""


def test_a_loop_is_a_call_and_a_sum_is_none() -> None:
    loop = tf.function(lambda x: tf.while_loop(lambda y: y < 3, lambda y: y + 1, [x]), autograph=False)
    total = tf.function(lambda x: x + 1, autograph=False)
    number = tf.TensorSpec((), tf.int32)
    assert len(list(called(loop.get_concrete_function(number).function_def))) == 2
    assert not list(called(total.get_concrete_function(number).function_def))
