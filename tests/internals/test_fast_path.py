"""Without a private name of TensorFlow or Keras a training goes on, with the same numbers and one line in the log."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from types import ModuleType

import keras
import numpy as np
import pytest

from dltrain.engine import architecture, executor, graph_files, graphs, read_numbers, step, traced_graph, updates
from dltrain.engine.engine import Engine
from dltrain.internals import fast_path, keras_training, private_names, tensorflow_graphs
from dltrain.preprocessing.rows import Resident

USERS = (architecture, executor, graph_files, graphs, read_numbers, step, traced_graph, updates)


@pytest.fixture(autouse=True)
def looked_for_anew() -> Iterator[None]:
    fast_path.missing_names.cache_clear()
    yield
    fast_path.missing_names.cache_clear()


@pytest.fixture(scope="module")
def usual() -> dict[str, list[float]]:
    fast_path.missing_names.cache_clear()
    return trained()


def trained() -> dict[str, list[float]]:
    """The history of a short training with what graphs share: dropout, a penalty, a metric of whole numbers."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,), name="table")
    hidden = keras.layers.Dense(2, activation="relu", kernel_regularizer="l2")(inputs)
    outputs = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Dropout(0.5, seed=1)(hidden))
    model = keras.Model({"table": inputs}, outputs)
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    rows = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    source = Resident({"table": rows}, (rows.sum(axis=1) > 0).astype(np.float32))
    history = keras.callbacks.History()
    Engine(model, batch_size=4, shuffle=True, seed=0).train(source, source, epochs=2, callbacks=[history])
    return history.history


@pytest.mark.parametrize("name", fast_path.NAMES)
def test_a_name_that_is_gone_is_told_once(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lose(name, monkeypatch)
    with caplog.at_level(logging.INFO, "dltrain"):
        assert not fast_path.is_whole()
        assert not fast_path.is_whole()
    told = [record for record in caplog.records if name in record.getMessage()]
    assert [(record.name, record.levelname) for record in told] == [("dltrain", "INFO")]


def test_training_goes_on_without_any_of_them(
    usual: dict[str, list[float]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lose(fast_path.NAMES[0], monkeypatch)
    for module in (keras_training, tensorflow_graphs):
        take_away(module, monkeypatch)
    with caplog.at_level(logging.INFO, "dltrain"):
        found = trained()
        trained()
    assert found.keys() == usual.keys()
    for key, values in usual.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-6, err_msg=key)
    assert len([record for record in caplog.records if fast_path.NAMES[0] in record.getMessage()]) == 1


def test_all_is_there_and_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "dltrain"):
        assert fast_path.is_whole()
    assert not caplog.records


def lose(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = private_names.is_there
    monkeypatch.setattr(private_names, "is_there", lambda path: path != name and there(path))


def take_away(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every function of a module fail, wherever the engine has it from."""
    for name, function in vars(module).copy().items():
        if inspect.isfunction(function) and function.__module__ == module.__name__:
            for user in (module, *USERS):
                if getattr(user, name, None) is function:
                    monkeypatch.setattr(user, name, gone)


def gone(*arguments: object) -> None:
    raise AssertionError("reached for what is not there")
