from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dltrain.base.outcome import FAILED, FINE, Outcome
from dltrain.engine.gradients import check_gradients, double_precision


class Doubled(keras.layers.Layer):
    """Passes its inputs on, with twice the gradient."""

    def call(self, inputs: Any) -> Any:
        @tf.custom_gradient
        def same(values: Any) -> Any:
            return tf.identity(values), lambda gradient: 2 * gradient

        return same(inputs)


def outcome(*between: Any, weight: float = 1.0) -> Outcome:
    random = np.random.default_rng(0)
    with double_precision():
        inputs = keras.Input((3,), name="x")
        hidden = keras.layers.Dense(4, "tanh", name="below")(inputs)
        for layer in between:
            hidden = layer()(hidden)
        output = keras.layers.Dense(1, name="head")(hidden)
        network = keras.Model({"x": inputs}, keras.layers.Rescaling(weight)(output))
        network.compile("sgd", "mse")
        return check_gradients(network, {"x": random.normal(size=(8, 3))}, random.normal(size=(8, 1)), seed=0)


def test_right_gradients_agree_in_every_layer() -> None:
    found = outcome()
    assert found.status == FINE
    assert [each["layer"] for each in found.details] == ["head", "below"]
    assert all(each["verdict"] == "right" for each in found.details)


def test_a_wrong_gradient_is_found_below_the_layer_that_makes_it() -> None:
    found = outcome(Doubled)
    assert found.status == FAILED
    assert [each["verdict"] for each in found.details] == ["right", "wrong"]
    assert found.text.startswith("The gradient of below is wrong")
    assert "of head, above it, it is right" in found.text


def test_a_loss_without_influence_of_any_weight_fails() -> None:
    found = outcome(weight=0.0)
    assert (found.status, found.text.partition(":")[0]) == (FAILED, "Every gradient is zero")


def test_precision_is_as_before_afterwards() -> None:
    assert keras.config.floatx() == "float32"
    assert keras.layers.Dense(1).dtype == "float32"
