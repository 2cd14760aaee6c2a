from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.engine.layer_statistics import look_at_layers


@pytest.fixture
def looked_at(stage_of: Any) -> Any:
    def look(*overrides: str, training: bool = False) -> tuple[Any, dict[str, Any]]:
        stage = stage_of(*overrides)
        features, truth = stage.data.features("train"), stage.data.truth("train").column
        return stage, {each.name: each for each in look_at_layers(stage.network, features, truth, training=training)}

    return look


def test_gradients_are_those_of_the_loss_and_nothing_changes(looked_at: Any) -> None:
    stage, _ = looked_at("model.units=[3]", "dataset.problem=binary")
    before = [np.array(weight) for weight in stage.network.variables]
    _, layers = looked_at("model.units=[3]", "dataset.problem=binary", training=True)
    for old, weight in zip(before, stage.network.variables, strict=True):
        np.testing.assert_array_equal(old, np.array(weight))
    head = layers["head"]
    assert head.weights == 4
    assert head.gradient_rms**2 == pytest.approx(head.gradient_mean**2 + head.gradient_sd**2)
    assert layers["dropout"].weights == 0
    assert layers["dropout"].gradient_rms is None


def test_gradient_of_a_linear_model_by_hand(looked_at: Any) -> None:
    stage, layers = looked_at("model=linear", "dataset.problem=binary", "initializer=zeros")
    features, truth = stage.data.features("train")["table"], stage.data.truth("train").column
    # At zero weights every probability is 1/2, and the gradient is the mean of (p - y) x.
    kernel = ((0.5 - truth) * features).mean(axis=0)
    bias = (0.5 - truth).mean()
    assert layers["head"].gradient_rms == pytest.approx(np.sqrt(np.mean(np.r_[kernel, bias] ** 2)), rel=1e-5)
    assert layers["head"].mean == pytest.approx(0.5)


def test_words_that_no_row_has_do_not_count_for_the_gradient() -> None:
    ids = keras.Input((2,), dtype="int32", name="text")
    network = keras.Model({"text": ids}, keras.layers.Dense(1)(keras.layers.Flatten()(_embedding(1_000)(ids))))
    network.compile(loss="mse")
    rows = {"text": np.array([[1, 2], [2, 3]], np.int32)}
    found = look_at_layers(network, rows, np.ones((2, 1), np.float32), training=False)
    (layer,) = [each for each in found if each.kind == "Embedding"]
    with tf.GradientTape() as tape:
        loss = network.compute_loss(y=np.ones((2, 1), np.float32), y_pred=network(rows))
    gradient = tf.convert_to_tensor(tape.gradient(loss, network.trainable_variables[0])).numpy()[1:4]
    assert layer.gradient_rms == pytest.approx(np.sqrt(np.mean(gradient**2)), rel=1e-5)
    assert layer.weights == 4_000


def _embedding(words: int) -> keras.layers.Layer:
    return keras.layers.Embedding(words, 4, embeddings_initializer=keras.initializers.RandomNormal(seed=1))


def test_units_that_never_fire_are_dead(looked_at: Any) -> None:
    stage, layers = looked_at("model.units=[4]", "normalization=none", "dataset.problem=regression")
    assert layers["activation"].dead < 1
    dense = stage.network.get_layer("dense")
    dense.bias.assign(np.full(4, -1e6, np.float32))
    features, truth = stage.data.features("train"), stage.data.truth("train").column
    found = {each.name: each for each in look_at_layers(stage.network, features, truth, training=False)}
    assert found["activation"].dead == 1.0
    assert found["dense"].dead is None
