from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.base.errors import ConfigError
from dltrain.cli.main import main
from dltrain.engine.engine import Engine
from dltrain.training.regularization_schedule import FlatCosine, schedule_regularization, scheduled

FALLING = "regularization_schedule=flat_cosine"
BOTH = ("model.units=[4]", "model.dropout=0.4", "optimizer=adamw", "optimizer.weight_decay=0.5", "dataset.rows=60")


def network(dropout: float = 0.5, *, weight_decay: float = 0.0) -> Any:
    inputs = keras.Input((6,))
    model = keras.Model(inputs, keras.layers.Dropout(dropout)(keras.layers.Dense(200, use_bias=False)(inputs)))
    model.compile(keras.optimizers.AdamW(0.1, weight_decay=weight_decay), "mse")
    schedule_regularization(model, dropout=True, weight_decay=True)
    return model


def test_share_stays_and_then_falls_along_half_a_cosine() -> None:
    callback = FlatCosine(100, flat=0.5, dropout=True, weight_decay=True)
    shares = [callback.share(epoch) for epoch in range(101)]
    assert shares[:51] == [1.0] * 51
    assert all(one > other for one, other in pairwise(shares[50:]))
    assert shares[75] == pytest.approx(0.5)
    assert shares[100] == pytest.approx(0.0)
    assert callback.share(200) == pytest.approx(0.0)


@pytest.mark.parametrize("share", [1.0, 0.4, 0.0])
def test_units_are_dropped_at_the_share_of_the_rate(share: float) -> None:
    model, rows = network(0.5), np.ones((50, 6), np.float32)
    scheduled(model.optimizer).share.assign(share)  # type: ignore[union-attr]
    found, whole = np.asarray(model(rows, training=True)), np.asarray(model(rows))
    assert np.mean(found == 0) == pytest.approx(0.5 * share, abs=0.03)
    np.testing.assert_allclose(found[found != 0], whole[found != 0] / (1 - 0.5 * share), rtol=1e-5)


def test_whole_maps_are_dropped() -> None:
    inputs = keras.Input((4, 5, 30))
    model = keras.Model(inputs, keras.layers.SpatialDropout2D(0.5)(inputs))
    model.compile("sgd", "mse")
    schedule_regularization(model, dropout=True, weight_decay=True)
    found = np.asarray(model(np.ones((8, 4, 5, 30)), training=True))
    assert 0.3 < np.mean(found == 0) < 0.7
    np.testing.assert_array_equal(found, np.broadcast_to(found[:, :1, :1], found.shape))


@pytest.mark.parametrize("share", [1.0, 0.25, 0.0])
def test_weights_decay_by_the_share(share: float) -> None:
    model = network(0.0, weight_decay=0.5)
    scheduled(model.optimizer).share.assign(share)  # type: ignore[union-attr]
    weight = model.trainable_variables[0]
    before = np.array(weight)
    model.optimizer.apply([keras.ops.zeros_like(weight)], [weight])
    np.testing.assert_allclose(np.array(weight), before * (1 - 0.1 * 0.5 * share), rtol=1e-5)
    assert model.optimizer.get_config()["weight_decay"] == 0.5


def test_engine_gives_the_numbers_of_fit(stage_of: Any) -> None:
    histories, networks = [], []
    for fits in (True, False):
        stage = stage_of(*BOTH, FALLING, "trainer.shuffle=false", "trainer.batch_size=8", "dataset.problem=regression")
        callback = FlatCosine(4, flat=0.0, dropout=True, weight_decay=True)
        if fits:
            rows, targets = stage.data.features("train"), stage.data.truth("train").column
            fitted = stage.network.fit(
                rows, targets, batch_size=8, epochs=4, shuffle=False, callbacks=[callback], verbose=0
            )
            histories.append(fitted.history["loss"])
        else:
            logs: list[float] = []
            log = keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs_, kept=logs: kept.append(logs_["loss"])
            )
            engine = Engine(stage.network, batch_size=8, shuffle=False, seed=1)
            engine.train(stage.data.source("train"), None, epochs=4, callbacks=[callback, log])
            histories.append(logs)
        networks.append(stage.network.get_weights())
    np.testing.assert_allclose(*histories, rtol=1e-6)
    for one, other in zip(*networks, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_both_matter_to_the_numbers(run_in: Any, tmp_path: Path) -> None:
    found = {
        name: run_in(tmp_path / name, *BOTH, "trainer.epochs=3", *words).rows("history.csv")[-1]["loss"]
        for name, words in {
            "constant": [],
            "both": [FALLING, "regularization_schedule.flat=0"],
            "dropout": [FALLING, "regularization_schedule.flat=0", "regularization_schedule.weight_decay=false"],
            "decay": [FALLING, "regularization_schedule.flat=0", "regularization_schedule.dropout=false"],
        }.items()
    }
    assert len(set(found.values())) == 4


def test_models_share_the_graphs_and_not_the_variable(
    run_in: Any, forget_graphs: Any, graph_log: Any, tmp_path: Path
) -> None:
    words = (*BOTH, FALLING, "trainer.epochs=3")
    alone = run_in(tmp_path / "alone", *words, "seed=2", "regularization_schedule.flat=0").rows("history.csv")
    forget_graphs()
    run_in(tmp_path / "first", *words, "seed=1")
    graph_log.traced.clear()
    graph_log.read.clear()
    assert run_in(tmp_path / "second", *words, "seed=2", "regularization_schedule.flat=0").rows("history.csv") == alone
    assert graph_log.traced == graph_log.read == []


def kinds_of_layers(model: keras.Model) -> Iterator[type[keras.Layer]]:
    for layer in model.layers:
        yield type(layer)
        if isinstance(layer, keras.Model):
            yield from kinds_of_layers(layer)


def test_model_is_loaded_by_keras_alone(run_in: Any, tmp_path: Path) -> None:
    path = run_in(tmp_path, *BOTH, FALLING).path
    for file in ("model.keras", "checkpoints/last.keras"):
        model = keras.models.load_model(path / file)
        layers = set(kinds_of_layers(model))
        assert keras.layers.Dropout in layers
        assert all(kind.__module__.startswith("keras.") for kind in layers)


def test_nothing_to_change_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="there is neither dropout nor weight decay to change"):
        network(0.0)
    assert main(["dataset=wine", "model.dropout=0", FALLING]) == 2
    assert "regularization_schedule has no effect here" in capsys.readouterr().err
