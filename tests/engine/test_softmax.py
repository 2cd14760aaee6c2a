from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.engine.softmax import MOST_CLASSES, plain_softmax

SCORES = np.array([[1.0, 2.0, -3.0], [90.0, 91.0, 200.0], [-1e4, 0.0, 0.0]], np.float32)


def test_a_traced_step_has_the_probabilities_and_gradients_of_keras() -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Activation("softmax")(inputs))

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def step(scores: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(scores)
            shares = model(scores)
            loss = keras.ops.sum(keras.losses.categorical_crossentropy(tf.eye(3), shares)) + tf.reduce_sum(shares**3)
        return shares, loss, tape.gradient(loss, scores)

    theirs = step(tf.constant(SCORES))
    with plain_softmax(model):
        ours = tf.function(step.python_function, autograph=False).get_concrete_function(tf.constant(SCORES))
    assert "Softmax" not in {operation.type for operation in ours.graph.get_operations()}
    for own, other in zip(ours(tf.constant(SCORES)), theirs, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-5, atol=1e-6)
    assert model.layers[-1].activation is keras.activations.softmax


@pytest.mark.parametrize(("classes", "plain"), [(MOST_CLASSES, True), (MOST_CLASSES + 1, False)])
def test_many_classes_are_left_to_tensorflow(classes: int, plain: bool) -> None:
    inputs = keras.Input((classes,))
    model = keras.Model(inputs, keras.layers.Activation("softmax")(inputs))
    with plain_softmax(model):
        graph = tf.function(model, autograph=False).get_concrete_function(tf.zeros((2, classes))).graph
    assert ("Softmax" not in {operation.type for operation in graph.get_operations()}) is plain
