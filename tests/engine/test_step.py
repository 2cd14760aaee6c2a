from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.engine.step import TrainStep, in_turn, not_compiled

X = np.arange(16, dtype=np.float32).reshape(8, 2) / 16
Y = (X.sum(axis=1, keepdims=True) > 0.9).astype(np.float32)


class OwnStep(keras.Model):
    def train_step(self, data: Any) -> Any:
        return super().train_step(data)


def model_of(*metrics: Any, kind: type[keras.Model] = keras.Model) -> Any:
    inputs = keras.Input((2,))
    model = kind(inputs, keras.layers.Dense(1, "sigmoid", kernel_initializer="ones")(inputs))
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=list(metrics))
    model.train_on_batch(X, Y)  # builds optimizer and metrics
    return model


def test_a_step_changes_the_weights_as_keras_does() -> None:
    metrics = [keras.metrics.BinaryAccuracy() for _ in range(2)]
    ours, theirs = (model_of(metric) for metric in metrics)
    step = TrainStep(ours)
    answers = tf.function(lambda: step(tf.constant(X), tf.constant(Y)), autograph=False)()
    before = theirs.predict_on_batch(X)
    theirs.train_on_batch(X, Y)
    for own, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)
    # Metrics are updated later, from the answers before the update.
    assert step.counts_later
    np.testing.assert_allclose(answers, before, rtol=1e-6)


@pytest.mark.parametrize(
    ("metrics", "kind", "later"),
    [
        ([keras.metrics.BinaryAccuracy, keras.metrics.AUC], keras.Model, True),
        ([keras.metrics.BinaryAccuracy, keras.metrics.MeanSquaredError], keras.Model, False),  # sums depend on order
        ([keras.metrics.BinaryAccuracy], OwnStep, False),
        ([], keras.Model, False),
    ],
)
def test_only_metrics_with_whole_sums_are_counted_later(metrics: Any, kind: Any, later: bool) -> None:
    assert TrainStep(model_of(*(metric() for metric in metrics), kind=kind)).counts_later is later


def test_a_graph_within_a_graph_gives_the_same_number() -> None:
    variable = tf.Variable(1.0)

    def grow(by: Any) -> Any:
        variable.assign_add(by)
        return variable * 2

    inner = in_turn(grow)
    found = tf.function(lambda: (inner(tf.constant(1.0)), inner(tf.constant(2.0))), autograph=False)()
    assert [float(each) for each in found] == [4, 8]


def test_a_step_that_cannot_be_compiled_names_key_and_reason() -> None:
    text = "Detected at node X\nGraph execution failed:\nXLA has no deterministic scatter.\n\t [[node]]"
    told = str(not_compiled(tf.errors.InvalidArgumentError(None, None, text)))
    assert told == (
        "trainer.jit_compile=true: XLA does not compile a training step of this network (XLA has no deterministic "
        "scatter). Expected auto or false, or trainer.deterministic=false."
    )
    assert "deterministic=false" not in str(not_compiled(tf.errors.InternalError(None, None, "No memory")))
