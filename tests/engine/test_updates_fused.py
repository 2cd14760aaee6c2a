"""The update of large weights in one pass: the optimizer's own numbers, its state included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.engine import graphs
from dltrain.engine import updates as module
from dltrain.engine.engine import Engine
from dltrain.engine.shared_graphs import SharedGraphs
from dltrain.engine.updates import ELEMENTWISE, fused_update
from dltrain.preprocessing.rows import Resident

WORDS, PLACES = 40, 6
Optimizer = keras.optimizers.Optimizer


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WEIGHTS", 20)
    monkeypatch.setattr(graphs, "flat_update", lambda model: None)


@pytest.fixture
def each_traces_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def graphs_of(
        model: Any, batch_size: Any, functions: Any, beside: Any = (), *, compiled: object = False
    ) -> SharedGraphs:
        return SharedGraphs(model, functions, beside)

    monkeypatch.setattr(graphs, "graphs_of", graphs_of)


def network(optimizer: Optimizer) -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((PLACES,), dtype="int32", name="text")
    words = keras.layers.Embedding(WORDS, 3)(inputs)
    outputs = keras.layers.Dense(1)(keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling1D()(words)))
    model = keras.Model({"text": inputs}, outputs)
    model.compile(optimizer, "mse")
    return model


def texts() -> np.ndarray:
    rows = np.random.default_rng(0).integers(0, WORDS, (20, PLACES)).astype(np.int32)
    rows[:, 0] = 1  # a word that every text has, more than once
    return rows


def trained(model: keras.Model) -> list[np.ndarray]:
    rows = texts()
    source = Resident({"text": rows}, rows.mean(axis=1).astype(np.float32))
    Engine(model, batch_size=8, shuffle=True, seed=0).train(source, None, epochs=3, callbacks=[])
    return [np.array(variable) for variable in (*model.variables, *model.optimizer.variables)]


@pytest.mark.parametrize(("jit_compile", "fused"), [("auto", True), (False, False), (True, False)])
def test_the_update_is_compiled_by_itself_unless_it_is_asked_for_otherwise(
    monkeypatch: pytest.MonkeyPatch, jit_compile: Any, fused: bool
) -> None:
    made: list[Any] = []

    def noted(model: keras.Model) -> Any:
        made.append(fused_update(model))
        return made[-1]

    monkeypatch.setattr(graphs, "fused_update", noted)
    block = next(iter(Resident({"text": texts()}, np.zeros(20, np.float32)).blocks(np.arange(8), 8)))
    graphs.Graphs(network(keras.optimizers.Adam()), 8, jit_compile=jit_compile).build(block)
    assert [type(update) for update in made] == [module.FusedUpdate] * fused


@pytest.mark.parametrize(("limit", "fused"), [(100, True), (10_000, False)])
def test_a_bag_of_ngrams_is_large_before_other_weights_are(
    stage_of: Any, monkeypatch: pytest.MonkeyPatch, limit: int, fused: bool
) -> None:
    monkeypatch.setattr(module, "MOST_WEIGHTS", 10_000)
    monkeypatch.setattr(module, "MOST_IN_BAG", limit)
    model = stage_of("dataset.kind=text", "model=mlp", "model.units=[2]").network
    model.optimizer.build(model.trainable_variables)
    assert (fused_update(model) is not None) is fused


SETTINGS = [
    *((name, {}) for name in ELEMENTWISE),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1, "clipvalue": 0.1}),
    ("AdamW", {"use_ema": True, "weight_decay": 0.1}),
    ("Adam", {"learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 9)}),
]


@pytest.mark.usefixtures("each_traces_its_own")
@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_the_same_numbers(monkeypatch: pytest.MonkeyPatch, name: str, settings: dict[str, object]) -> None:
    def optimizer() -> Optimizer:
        return getattr(keras.optimizers, name)(**{"learning_rate": 0.01, **settings})

    model = network(optimizer())
    ours = trained(model)
    assert fused_update(model) is not None
    monkeypatch.setattr(graphs, "fused_update", lambda model: None)
    own = trained(network(optimizer()))
    assert len(ours) == len(own)
    for mine, theirs in zip(ours, own, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)


def test_two_models_share_the_graph_and_not_the_weights(forget_graphs: Callable[[], None], graph_log: Any) -> None:
    first, second = network(keras.optimizers.Adam()), network(keras.optimizers.Adam(0.1))
    source = Resident({"text": np.ones((8, PLACES), np.int32)}, np.ones(8, np.float32))
    forget_graphs()
    before = [np.array(weight) for weight in first.trainable_variables]
    for model in (first, second):
        Engine(model, batch_size=8, shuffle=False, seed=0).train(source, None, epochs=1, callbacks=[])
    assert (graph_log.traced + graph_log.read).count("train") == 1
    for weight, other, start in zip(first.trainable_variables, second.trainable_variables, before, strict=True):
        moved, further = np.abs(np.array(weight) - start), np.abs(np.array(other) - start)
        assert 50 * moved.max() < further.max() < 200 * moved.max()


@pytest.mark.parametrize("optimizer", [keras.optimizers.SGD(), keras.optimizers.Adam(global_clipnorm=1.0)])
def test_what_looks_at_more_than_a_number_is_left_to_keras(optimizer: Optimizer) -> None:
    model = network(optimizer)
    optimizer.build(model.trainable_variables)
    assert fused_update(model) is None


def test_small_weights_are_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WEIGHTS", WORDS * 3)
    model = network(keras.optimizers.Adam())
    model.optimizer.build(model.trainable_variables)
    assert fused_update(model) is None
