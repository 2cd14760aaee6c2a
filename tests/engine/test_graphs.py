"""Many steps in one call: each does what Keras' own step does, one after the other."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.engine import graphs as module
from dltrain.engine.graphs import Graphs
from dltrain.preprocessing.rows import Resident

BATCH = 4
FEATURES = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
TARGETS = FEATURES.sum(axis=1, keepdims=True)
ORDER = np.array([7, 3, 9, 1, 0, 2, 4, 8, 6, 5])


def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,), name="table")
    made = keras.Model({"table": inputs}, keras.layers.Dense(1)(inputs))
    made.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return made


def rows(order: Any = ORDER, weights: Any = None, features: Any = FEATURES) -> Any:
    (block,) = Resident({"table": features}, TARGETS, weights).blocks(np.asarray(order), BATCH)
    return block


@pytest.fixture
def graphs() -> Graphs:
    made = Graphs(model(), BATCH)
    assert not made.built
    made.build(rows())
    assert made.built
    return made


def weights_of(network: keras.Model) -> list[np.ndarray]:
    return [np.array(weight) for weight in network.weights]


def test_nothing_runs_before_the_variables_are_built() -> None:
    with pytest.raises(RuntimeError, match=r"Graphs\.build comes first"):
        Graphs(model(), BATCH).test(rows())


def test_steps_are_those_of_keras_in_their_order_with_the_remainder(graphs: Graphs) -> None:
    start = weights_of(graphs.model)
    found = graphs.train(rows(), 0, 3, empties=True)
    expected = model()
    for first in (0, 4, 8):
        batch = ORDER[first : first + BATCH]
        expected.train_on_batch({"table": FEATURES[batch]}, TARGETS[batch])
    for ours, theirs in zip(weights_of(graphs.model), weights_of(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert bool(found.finite)
    for before, old in zip(found.before, start, strict=True):
        np.testing.assert_array_equal(before, old)
    assert set(found.logs()) == {"loss", "mae"}


def test_an_epoch_may_be_trained_in_several_calls(graphs: Graphs) -> None:
    whole = Graphs(model(), BATCH)
    whole.build(rows())
    expected = whole.train(rows(), 0, 3, empties=True).logs()
    graphs.train(rows(), 0, 1, empties=True)
    assert graphs.train(rows(), 1, 3).logs() == pytest.approx(expected)
    for ours, theirs in zip(weights_of(graphs.model), weights_of(whole.model), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    graphs.train(rows(), 0, 3)
    assert graphs.train(rows(), 0, 3, empties=True).logs() != pytest.approx(expected)


def test_rows_of_weight_zero_change_nothing(graphs: Graphs) -> None:
    start = weights_of(graphs.model)
    graphs.train(rows(weights=np.zeros(10)), 0, 3)
    for before, after in zip(start, weights_of(graphs.model), strict=True):
        np.testing.assert_array_equal(before, after)


def test_weights_that_are_not_finite_are_told(graphs: Graphs) -> None:
    features = FEATURES.copy()
    features[0, 0] = np.inf
    assert not bool(graphs.train(rows(features=features), 0, 3).finite)


def test_answers_and_metrics_come_in_the_order_of_the_rows_whatever_the_batch(
    graphs: Graphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = graphs.model.predict({"table": FEATURES}, verbose=0)[ORDER]
    np.testing.assert_allclose(graphs.predict(rows()), expected, rtol=1e-6)
    alone = graphs.test_alone(rows()).logs()
    assert alone["mae"] == pytest.approx(np.abs(expected - TARGETS[ORDER]).mean())
    monkeypatch.setattr(module, "EVALUATION_NUMBERS", 9)
    small = Graphs(graphs.model, BATCH)
    small.build(rows())
    assert small.evaluation_batch == 3
    np.testing.assert_allclose(small.predict(rows()), expected, rtol=1e-6)
    small.reset()
    assert small.test(rows()).logs() == pytest.approx(alone)


def test_metrics_gather_until_they_are_emptied(graphs: Graphs) -> None:
    first, second = (graphs.test_alone(rows(part)).logs() for part in (ORDER[:5], ORDER[5:]))
    graphs.reset()
    graphs.test(rows(ORDER[:5]))
    both = graphs.test(rows(ORDER[5:])).logs()
    assert both == pytest.approx({name: (first[name] + second[name]) / 2 for name in first})
    assert graphs.test_alone(rows(ORDER[:5])).logs() == pytest.approx(first)


def test_augmentation_is_given_the_number_of_the_batch() -> None:
    def augment(features: Any, weights: Any, number: Any) -> Any:
        return {"table": features["table"] * tf.cast(number, tf.float32)}, weights

    made = Graphs(model(), BATCH, augment)
    made.build(rows())
    start = weights_of(made.model)
    made.train(rows(), 0, 1)
    # Batch 0 is multiplied by 0, so that only the bias learns.
    kernel, bias = weights_of(made.model)
    np.testing.assert_array_equal(kernel, start[0])
    assert not np.array_equal(bias, start[1])
    made.train(rows(), 1, 2)
    assert not np.array_equal(weights_of(made.model)[0], kernel)
