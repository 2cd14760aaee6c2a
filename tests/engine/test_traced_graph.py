from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from dltrain.engine.traced_graph import Contents, TracedGraph


def traced(call: Any) -> Any:
    return tf.function(call, autograph=False).get_concrete_function(tf.TensorSpec([], tf.float32))


def handles_of(*numbers: float) -> tuple[list[tf.Variable], list[Any]]:
    variables = [tf.Variable(float(number)) for number in numbers]
    return variables, [variable.handle for variable in variables]


def test_a_graph_runs_on_the_variables_of_another_model_here_and_from_a_file() -> None:
    (factor, plus), handles = handles_of(2, 3)
    graph = TracedGraph.of(traced(lambda x: {"y": [x * factor + plus], "none": None}), handles)
    _, others = handles_of(5, 7)
    contents = graph.contents()
    assert contents
    for each in (graph, TracedGraph.read(contents)):
        assert each.takes_variables_alone
        for own, place, y in ((True, handles, 11), (False, others, 27)):
            run = each.on(place, own)
            assert run
            found = run(tf.constant(4.0))
            assert (float(found["y"][0]), found["none"]) == (y, None)


def test_graphs_that_are_called_stand_in_the_file_too() -> None:
    (factor,), handles = handles_of(2)
    inner = tf.function(lambda x: x * factor, autograph=False)
    graph = TracedGraph.of(traced(lambda x: inner(inner(x))), handles)
    assert graph.calls
    contents = graph.contents()
    assert contents
    run = TracedGraph.read(contents).on(handles, own=False)
    assert run
    assert float(run(tf.constant(3.0))) == 12


def test_a_graph_with_a_tensor_of_this_process_is_its_own_models_alone() -> None:
    (factor,), handles = handles_of(2)
    constant = tf.constant(np.arange(3000, dtype=np.float32))
    graph = TracedGraph.of(traced(lambda x: x * factor + tf.reduce_max(constant)), handles)
    assert not graph.takes_variables_alone
    assert graph.contents() is None
    assert graph.on(handles, own=False) is None
    run = graph.on(handles, own=True)
    assert run
    assert float(run(tf.constant(3.0))) == 3005


def test_a_graph_that_calls_python_is_not_written() -> None:
    (factor,), handles = handles_of(2)
    call = traced(lambda x: tf.py_function(lambda value: value + 1, [x * factor], tf.float32))
    assert TracedGraph.of(call, handles).contents() is None


def test_results_that_are_no_outputs_are_refused() -> None:
    (factor,), handles = handles_of(2)
    contents = TracedGraph.of(traced(lambda x: x * factor), handles).contents()
    assert contents
    with pytest.raises(ValueError, match="not among the outputs"):
        TracedGraph.read(Contents(contents.captured, [0, 1], contents.functions))
