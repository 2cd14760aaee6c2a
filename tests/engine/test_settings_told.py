from __future__ import annotations

import re
from typing import Any

import keras
import pytest

from dltrain.engine.architecture import architecture
from dltrain.engine.read_numbers import read_numbers
from dltrain.engine.settings_told import settings_not_told


def network() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    hidden = keras.layers.Conv2D(2, 3, strides=(2, 1), kernel_regularizer="l2")(inputs)
    hidden = keras.layers.LeakyReLU(0.2)(keras.layers.BatchNormalization(momentum=0.9)(hidden))
    hidden = keras.layers.MaxPooling2D(2)(hidden)
    hidden = keras.layers.MultiHeadAttention(2, 3, dropout=0.1)(*2 * [keras.layers.Reshape((-1, 2))(hidden)])
    hidden = keras.layers.Dropout(0.3)(keras.layers.Bidirectional(keras.layers.GRU(2, dropout=0.2))(hidden))
    model = keras.Model(inputs, keras.layers.Softmax(axis=1)(keras.layers.Dense(2)(hidden)))
    metrics = [keras.metrics.TopKCategoricalAccuracy(k=2), keras.metrics.AUC(num_thresholds=7)]
    optimizer, weighted = (
        keras.optimizers.AdamW(beta_1=0.8, clipnorm=2.0),
        [keras.metrics.BinaryAccuracy(threshold=0.4)],
    )
    model.compile(optimizer, keras.losses.Huber(0.7), metrics=metrics, weighted_metrics=weighted)
    model.optimizer.build(model.trainable_variables)
    read_numbers(model)
    return model


@pytest.fixture(scope="module")
def told() -> tuple[keras.Model, str]:
    model = network()
    text = architecture(model)
    assert text is not None
    return model, text


def test_an_architecture_tells_all_numbers(told: Any) -> None:
    assert settings_not_told(*told) == []


@pytest.mark.parametrize(
    ("setting", "missing"),
    [
        ("strides", ["Conv2D.strides", "MaxPooling2D.strides"]),
        ("axis", ["BatchNormalization.axis", "Softmax.axis"]),
        ("momentum", ["BatchNormalization.momentum"]),
        ("beta_1", ["AdamW.beta_1"]),
        ("clipnorm", ["AdamW.clipnorm"]),
        ("delta", ["Huber.delta"]),
        ("threshold", ["BinaryAccuracy.threshold", "BinaryAccuracy.threshold"]),
        ("k", ["TopKCategoricalAccuracy.k", "TopKCategoricalAccuracy.k"]),
    ],
)
def test_what_is_left_out_is_named(told: Any, setting: str, missing: list[str]) -> None:
    model, text = told
    shorter = re.sub(rf'"{setting}": (\[[^]]*\]|[^][{{}},]+)', '"": null', text)
    assert settings_not_told(model, shorter) == missing


def test_another_number_is_not_the_one(told: Any) -> None:
    model, text = told
    assert settings_not_told(model, text.replace('"delta": 0.7', '"delta": 1.0')) == ["Huber.delta"]
