from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.engine import graph_proof, shared_graphs
from dltrain.engine.architecture import architecture
from dltrain.engine.graphs import Graphs
from dltrain.engine.read_numbers import KeptShare, Penalty, ReadNumber, ReadRate, read_numbers
from dltrain.preprocessing.rows import Block

ROWS = 12


@pytest.fixture(autouse=True)
def folder(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    forget_graphs: Callable[[], None],
) -> Path:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path))
    forget_graphs()
    caplog.set_level("DEBUG", "dltrain")
    return tmp_path / "graphs"


def network(
    *,
    rate: float = 0.3,
    units: int = 5,
    penalty: Any = lambda: None,
    loss: Any = lambda: "mse",
    axis: int = -1,
    layer: type[keras.Layer] = keras.layers.UnitNormalization,
    learning_rate: float = 0.01,
    optimizer: Any = keras.optimizers.SGD,
) -> keras.Model:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4, 3), name="table")
    hidden = keras.layers.Dense(units, activation="tanh")(inputs)
    hidden = keras.layers.Dropout(rate, seed=1)(layer(axis=axis)(hidden))
    outputs = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Flatten()(hidden))
    model = keras.Model({"table": inputs}, outputs)
    model.layers[1].kernel.regularizer = penalty()
    model.compile(optimizer(learning_rate), loss())
    return model


def block() -> Block:
    draws = np.random.default_rng(0)
    features = {"table": tf.constant(draws.normal(size=(ROWS, 4, 3)), tf.float32)}
    targets = tf.constant(draws.integers(2, size=(ROWS, 1)), tf.float32)
    return Block(features, targets, None, tf.range(ROWS, dtype=tf.int64))


def state(model: keras.Model) -> list[Any]:
    variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables, *read_numbers(model)]
    return [np.array(variable) for variable in variables]


def trained(model: keras.Model) -> list[Any]:
    """Losses and weights of a few steps."""
    graphs, rows = Graphs(model, 4), block()
    graphs.build(rows)
    losses = [graphs.train(rows, 0, 3, empties=True).logs()["loss"], graphs.test_alone(rows).logs()["loss"]]
    return [losses, *state(model)]


def baked_rate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ReadNumber, "__tf_tensor__", lambda self, dtype=None, name=None: tf.constant(float(self), dtype))


def baked_rate_beside_a_read_one(patch: pytest.MonkeyPatch) -> None:
    def both(self: Any, dtype: Any = None, name: Any = None) -> Any:
        return float(self) + 0 * self.variables[0].read_value()

    patch.setattr(ReadNumber, "__tf_tensor__", both)


def baked_scale(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(KeptShare, "__rtruediv__", lambda self, other: other / float(self))


def baked_scale_beside_a_read_one(patch: pytest.MonkeyPatch) -> None:
    def both(self: Any, other: float) -> Any:
        return other / float(self) + 0 * self.scale.variables[0].read_value()

    patch.setattr(KeptShare, "__rtruediv__", both)


def baked_factor(patch: pytest.MonkeyPatch) -> None:
    for kind, name, part in (("L1", "l1", tf.abs), ("L2", "l2", tf.square)):
        patch.setattr(
            getattr(keras.regularizers, kind),
            "__call__",
            lambda self, x, name=name, part=part: float(getattr(self, name)) * tf.reduce_sum(part(x)),
        )


def baked_factor_of_both(patch: pytest.MonkeyPatch) -> None:
    def penalty(self: Any, x: Any) -> Any:
        return float(self.l1) * tf.reduce_sum(tf.abs(x)) + float(self.l2) * tf.reduce_sum(tf.square(x))

    patch.setattr(Penalty, "__call__", penalty)


def swapped_factors(patch: pytest.MonkeyPatch) -> None:
    def penalty(self: Any, x: Any) -> Any:
        return self.l2 * tf.reduce_sum(tf.abs(x)) + self.l1 * tf.reduce_sum(tf.square(x))

    patch.setattr(Penalty, "__call__", penalty)


def baked_learning_rate(patch: pytest.MonkeyPatch) -> None:
    def rate(self: Any) -> Any:
        with tf.init_scope():
            return float(self._learning_rate.value.numpy())

    patch.setattr(keras.optimizers.Optimizer, "_get_current_learning_rate", rate)


def without(setting: str) -> Any:
    """The key no longer tells a setting."""

    def shorter(*arguments: Any, **options: Any) -> str | None:
        text = architecture(*arguments, **options)
        return text and re.sub(rf'"{setting}": (\[[^]]*\]|[^][{{}},]+)', '"": null', text)

    return lambda patch: patch.setattr(shared_graphs, "architecture", shorter)


RATES = {"rate": 0.3}, {"rate": 0.6}
# Others in number, since networks that differ in penalties alone would get both.
SQUARES = [{"units": 8, "penalty": partial(keras.regularizers.L2, factor)} for factor in (0.5, 0.01)]
SUMS = [{"units": 6, "penalty": partial(keras.regularizers.L1, factor)} for factor in (0.5, 0.01)]
BOTH = [{"units": 7, "penalty": partial(Penalty, *factors)} for factors in ((0.1, 0.5), (0.02, 0.01))]
LEARNING_RATES = {"learning_rate": 0.1}, {"learning_rate": 0.01}
DELTAS = {"loss": partial(keras.losses.Huber, 0.1)}, {"loss": keras.losses.Huber}
AXES = {"axis": 1}, {"axis": -1}
SOFTMAX_AXES = {"axis": 1, "layer": keras.layers.Softmax}, {"axis": -1, "layer": keras.layers.Softmax}
CROSSENTROPY = keras.losses.BinaryCrossentropy
SMOOTHED = {"loss": partial(CROSSENTROPY, label_smoothing=0.3)}, {"loss": CROSSENTROPY}
SLOW = [pytest.param(each, marks=pytest.mark.slow) for each in (SQUARES, SUMS, LEARNING_RATES)]
SLOW_OPTIMIZERS = [pytest.param(each, marks=pytest.mark.slow) for each in ("SGD", "RMSprop", "Lion", "Ftrl")]
BAKED = [
    pytest.param(baked_rate, RATES, "it does not read Dropout.rate", marks=pytest.mark.slow),
    (baked_rate_beside_a_read_one, RATES, "it differs from Keras' own step by"),
    pytest.param(baked_scale, RATES, "it does not read Dropout.rate", marks=pytest.mark.slow),
    (baked_scale_beside_a_read_one, RATES, "it differs from Keras' own step by"),
    (baked_factor, SQUARES, "it does not read L2.l2"),
    pytest.param(baked_factor, SUMS, "it does not read L1.l1", marks=pytest.mark.slow),
    (baked_factor_of_both, BOTH, "it does not read Penalty.l1"),
    pytest.param(swapped_factors, BOTH, "it differs from Keras' own step by", marks=pytest.mark.slow),
    pytest.param(baked_learning_rate, LEARNING_RATES, "it does not read the learning rate", marks=pytest.mark.slow),
    (without("delta"), DELTAS, "the architecture does not tell Huber.delta"),
    (without("axis"), AXES, "the architecture does not tell UnitNormalization.axis"),
    pytest.param(without("axis"), SOFTMAX_AXES, "the architecture does not tell Softmax.axis", marks=pytest.mark.slow),
    pytest.param(
        without("label_smoothing"),
        SMOOTHED,
        "the architecture does not tell BinaryCrossentropy.label_smoothing",
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(("mutate", "settings", "reason"), BAKED)
def test_a_graph_with_a_number_in_it_is_neither_shared_nor_kept(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    folder: Path,
    forget_graphs: Callable[[], None],
    mutate: Any,
    settings: Any,
    reason: str,
) -> None:
    mutate(monkeypatch)
    alone = trained(network(**settings[1]))
    shutil.rmtree(folder, ignore_errors=True)
    forget_graphs()
    first = trained(network(**settings[0]))
    assert f"The train graph is neither shared nor kept: {reason}" in caplog.text.replace("with other numbers ", "")
    second = trained(network(**settings[1]))
    forget_graphs()
    third = trained(network(**settings[1]))
    assert first[0] != second[0]
    assert alone[0] == second[0] == third[0]
    for one, other, another in zip(alone[1:], second[1:], third[1:], strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, another)


@pytest.mark.parametrize("settings", [RATES, BOTH, *SLOW])
def test_a_graph_that_reads_its_numbers_is_shared_and_kept(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    folder: Path,
    forget_graphs: Callable[[], None],
    settings: Any,
) -> None:
    alone = trained(network(**settings[1]))
    shutil.rmtree(folder)
    forget_graphs()
    caplog.clear()
    first = trained(network(**settings[0]))
    second = trained(network(**settings[1]))
    forget_graphs()
    third = trained(network(**settings[1]))
    assert caplog.text.count("The train graph was traced") == caplog.text.count("The train graph was read") == 1
    assert "neither shared nor kept" not in caplog.text
    assert first[0] != alone[0] == second[0] == third[0]


@pytest.mark.parametrize("optimizer", ["Adam", "Nadam", *SLOW_OPTIMIZERS])
def test_the_proof_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch, optimizer: str) -> None:
    pairs = []

    def noted(graph: Any, candidate: Any) -> Any:
        before = state(candidate.model)
        found = graph_proof.prove(graph, candidate)
        pairs.extend(zip(before, state(candidate.model), strict=True))
        return found

    monkeypatch.setattr(shared_graphs, "prove", noted)
    made = network(penalty=partial(Penalty, 0.1, 0), optimizer=getattr(keras.optimizers, optimizer))
    regularizer = made.layers[1].kernel.regularizer
    trained(made)
    assert len(pairs) > 20
    for before, after in pairs:
        np.testing.assert_array_equal(before, after)
    assert made.layers[1].kernel.regularizer is regularizer
    assert isinstance(regularizer.l1, ReadNumber)
    assert isinstance(made.layers[3].rate, ReadRate)


def test_a_step_that_keras_cannot_take_leaves_the_numbers_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, folder: Path, forget_graphs: Callable[[], None]
) -> None:
    expected = trained(network())
    shutil.rmtree(folder)
    forget_graphs()
    made = network()
    step = made.train_step

    def in_graphs_alone(batch: Any) -> Any:
        if tf.executing_eagerly():
            raise TypeError("No step without a graph.")
        return step(batch)

    made.train_step = in_graphs_alone
    for one, other in zip(expected, trained(made), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (
        "The train graph is neither shared nor kept: it cannot be compared with Keras' own step (No step" in caplog.text
    )
    assert len(list(folder.iterdir())) == 1  # of evaluating
