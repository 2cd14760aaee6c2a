from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.base.errors import RunError
from dltrain.engine.engine import Engine
from dltrain.engine.graphs import Graphs
from dltrain.preprocessing.rows import Block, Resident


def test_nan_in_a_weight_keeps_the_best_epoch_before_it(
    run_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Graphs.train, []

    def poisoned(self: Graphs, block: Block, *arguments: Any, **more: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            block = replace(block, features={name: values * np.nan for name, values in block.features.items()})
        return real(self, block, *arguments, **more)

    monkeypatch.setattr(Graphs, "train", poisoned)
    with pytest.raises(RunError) as raised:
        run_in(tmp_path / "run", "trainer.epochs=5", "model.units=[2]")
    message = str(raised.value)
    assert "diverged in epoch 3: loss " in message
    assert "learning rate 0.001, " in message
    assert "weights that are not finite, " in message
    assert "Try optimizer.learning_rate=0.0001, " in message
    norm = float(message.partition("gradient norm ")[2].split()[0])
    assert 0 < norm < 1_000
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["status"] == "failed"
    assert record["reached"]["epoch"] == 2
    best = keras.models.load_model(tmp_path / "run" / "checkpoints" / "best.keras")
    assert all(np.isfinite(weight).all() for weight in best.get_weights())
    assert not (tmp_path / "run" / "model.keras").exists()


def test_too_large_a_learning_rate_is_named(run_in: Any, tmp_path: Path) -> None:
    words = ("dataset.problem=regression", "optimizer=sgd", "optimizer.learning_rate=1e6", "trainer.epochs=20")
    with pytest.raises(RunError, match=r"diverged in epoch \d+: .*learning rate 1e\+06, .*learning_rate=100000"):
        run_in(tmp_path / "run", *words, "normalization=none", "model.units=[2]")


def test_no_finite_gradient_even_at_the_begin_points_to_data_and_layers() -> None:
    features = {"table": np.ones((20, 2), np.float32)}
    features["table"][:, 1] = np.nan
    inputs = {"table": keras.Input((2,), name="table")}
    network = keras.Model(inputs, keras.layers.Dense(1)(inputs["table"]))
    network.compile("sgd", "mse")
    rows = Resident(features, np.ones((20, 1), np.float32))
    before = network.get_weights()
    with pytest.raises(RunError, match=r"norm nan when the epoch began\. Even the first batch gives no finite"):
        Engine(network, batch_size=8, shuffle=True, seed=0).train(rows, rows, epochs=2, callbacks=[])
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_loss_that_is_not_finite_ends_the_training_though_the_weights_are() -> None:
    inputs = {"table": keras.Input((1,), name="table")}
    network = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="ones")(inputs["table"]))
    # Beyond the largest number of float32 when squared, but for the clipped gradient.
    network.compile(keras.optimizers.SGD(1e-30, clipvalue=1e-3), "mse")
    rows = Resident({"table": np.full((8, 1), 1e25, np.float32)}, np.zeros((8, 1), np.float32))
    with pytest.raises(RunError, match=r"loss inf, .*all weights still finite"):
        Engine(network, batch_size=8, shuffle=True, seed=0).train(rows, rows, epochs=2, callbacks=[])
