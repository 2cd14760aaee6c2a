from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from dltrain.engine.executor import called
from dltrain.engine.optimized_graph import optimized
from dltrain.engine.traced_graph import TracedGraph
from dltrain.internals.tensorflow_graphs import collecting_graphs, definition


def kept(steps: Any) -> tuple[TracedGraph | None, TracedGraph, tf.Variable]:
    """A graph of two numbers as it was optimized, as it was traced, and the variable that both read."""
    factor = tf.Variable(2.0)
    traced = tf.function(lambda x, y: steps(factor, x, y), autograph=False)
    spec = tf.TensorSpec([], tf.float32)
    graph = TracedGraph.of(traced.get_concrete_function(spec, spec), [factor.handle])
    run = graph.on([factor.handle], own=True)
    assert run
    with collecting_graphs() as made:
        run(tf.constant(1.0), tf.constant(1.0))
    return optimized(graph, made), graph, factor


def test_loops_branches_calls_and_effects_give_the_same_on_any_variable() -> None:
    inner = tf.function(lambda x: tf.unstack(tf.stack([x, x + 1, x + 2])), autograph=False)

    def steps(factor: tf.Variable, x: Any, y: Any) -> dict[str, Any]:
        _, total = tf.while_loop(lambda i, _: i < 3, lambda i, total: (i + 1, total * factor + inner(x)[2]), [0, x])
        factor.assign_add(1.0)
        return {"total": total, "least": tf.cond(x < y, lambda: x, lambda: y), "given": y, "none": None}

    graph, traced, _ = kept(steps)
    assert graph
    assert graph.optimized
    assert graph.calls  # its loop needs the executor that knows loops
    assert not any(called(definition(graph.name)))
    contents = graph.contents()
    assert contents
    for each in (traced, graph, TracedGraph.read(contents)):
        own = tf.Variable(3.0)
        run = each.on([own.handle], own=False)
        assert run
        found = run(tf.constant(1.0), tf.constant(-1.0))
        assert {name: value if value is None else float(value) for name, value in found.items()} == {
            "total": 66.0,
            "least": -1.0,
            "given": -1.0,
            "none": None,
        }
        assert float(own) == 4.0


@pytest.mark.parametrize(
    "steps",
    [
        lambda factor, x, y: tf.function(lambda: x * factor + y, jit_compile=True, autograph=False)(),
        lambda factor, x, y: tf.py_function(lambda one, other: one + other, [x * factor, y], tf.float32),
    ],
    ids=["compiled by XLA", "calling Python"],
)
def test_what_needs_more_than_its_operations_is_kept_as_it_was_traced(steps: Any) -> None:
    assert kept(steps)[0] is None


def test_a_graph_that_ran_before_is_not_told() -> None:
    _, graph, factor = kept(lambda factor, x, y: x * factor + y)
    run = graph.on([factor.handle], own=True)
    assert run
    with collecting_graphs() as made:
        run(tf.constant(1.0), tf.constant(1.0))
    assert optimized(graph, made) is None
