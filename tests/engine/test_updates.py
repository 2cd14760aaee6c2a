"""The update on all weights at once: bit for bit the optimizer's own, its state included."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dltrain.engine import graphs
from dltrain.engine.engine import Engine
from dltrain.engine.shared_graphs import SharedGraphs
from dltrain.engine.updates import ELEMENTWISE, flat_update
from dltrain.preprocessing.rows import Resident


@pytest.fixture(autouse=True)
def each_traces_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def graphs_of(
        model: Any, batch_size: Any, functions: Any, beside: Any = (), *, compiled: object = False
    ) -> SharedGraphs:
        return SharedGraphs(model, functions, beside)

    monkeypatch.setattr(graphs, "graphs_of", graphs_of)


def network(optimizer: keras.optimizers.Optimizer, *, embedding: bool = False) -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,), name="table")
    hidden = keras.layers.Dense(4, activation="relu", kernel_regularizer="l2")(inputs)
    if embedding:
        hidden = keras.layers.Concatenate()([hidden, keras.layers.Embedding(3, 2)(keras.ops.cast(inputs[:, 0], int))])
    outputs = keras.layers.Dense(1)(keras.layers.BatchNormalization()(hidden))
    model = keras.Model({"table": inputs}, outputs)
    model.compile(optimizer, "mse")
    return model


def trained(model: keras.Model) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    rows = random.normal(size=(20, 3)).astype(np.float32)
    source = Resident({"table": np.abs(rows)}, rows.sum(axis=1))
    Engine(model, batch_size=8, shuffle=True, seed=0).train(source, None, epochs=3, callbacks=[])
    return [np.array(variable) for variable in (*model.variables, *model.optimizer.variables)]


SETTINGS = [
    *((name, {}) for name in ELEMENTWISE),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1, "clipvalue": 0.1}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.9}),
    ("AdamW", {"use_ema": True, "weight_decay": 0.1}),
    ("Adam", {"learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 9)}),
]


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_same_bits(monkeypatch: pytest.MonkeyPatch, name: str, settings: dict[str, object]) -> None:
    def optimizer() -> keras.optimizers.Optimizer:
        return getattr(keras.optimizers, name)(**{"learning_rate": 0.05, **settings})

    model = network(optimizer())
    ours = trained(model)
    assert flat_update(model) is not None
    monkeypatch.setattr(graphs, "flat_update", lambda model: None)
    own = trained(network(optimizer()))
    assert len(ours) == len(own)
    for mine, theirs in zip(ours, own, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adam(clipnorm=1.0),
        keras.optimizers.Adam(global_clipnorm=1.0),
        keras.optimizers.SGD(momentum=0.9),
    ],
)
def test_none_where_a_number_is_not_by_itself(optimizer: keras.optimizers.Optimizer) -> None:
    model = network(optimizer)
    optimizer.build(model.trainable_variables)
    assert flat_update(model) is None


def test_gradients_of_embeddings_go_to_the_optimizer_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = trained(network(keras.optimizers.Adam(), embedding=True))
    monkeypatch.setattr(graphs, "flat_update", lambda model: None)
    for mine, theirs in zip(ours, trained(network(keras.optimizers.Adam(), embedding=True)), strict=True):
        np.testing.assert_array_equal(mine, theirs)
