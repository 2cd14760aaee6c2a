from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.engine.engine import Engine
from dltrain.training.callbacks import CSVHistory

LOGS = [
    {"accuracy": 0.5, "loss": 1 / 3, "val_accuracy": 0.25, "val_loss": 2.0, "learning_rate": 0.01},
    {"accuracy": 0.75, "loss": 0.1, "val_accuracy": 0.5, "val_loss": 1.5, "learning_rate": 0.005},
]


def test_csv_history_has_columns_in_order_and_every_digit(tmp_path: Path) -> None:
    callback = CSVHistory(tmp_path)
    for epoch, logs in enumerate(LOGS):
        callback.on_epoch_end(epoch, logs)
    with (tmp_path / "history.csv").open(newline="") as file:
        found = list(csv.reader(file))
    assert found[0] == ["epoch", "learning_rate", "loss", "accuracy", "val_loss", "val_accuracy"]
    rows = [dict(zip(found[0], map(float, row), strict=True)) for row in found[1:]]
    assert rows == [{"epoch": epoch + 1, **logs} for epoch, logs in enumerate(LOGS)]


def test_csv_history_can_be_read_after_each_epoch(tmp_path: Path) -> None:
    callback = CSVHistory(tmp_path)
    callback.on_epoch_end(0, LOGS[0])
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 2


AVERAGED = ("model=linear", "dataset.problem=regression", "optimizer=sgd", "trainer.batch_size=60")
AVERAGE = ("optimizer.use_ema=true", "optimizer.ema_momentum=0.5")


def test_moving_average_is_what_is_validated_and_kept(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    stage = stage_of(*AVERAGED, *AVERAGE, "trainer.epochs=3")
    training = train_stage(stage, tmp_path)
    validation = stage.data.source("validation")
    kept = training.engine.evaluate(validation)["loss"]
    assert kept == pytest.approx(training.history[training.best_epoch - 1]["val_loss"], rel=1e-6)
    best = keras.models.load_model(tmp_path / "checkpoints" / "best.keras")
    assert best.evaluate(validation.features, validation.targets, verbose=0)[0] == pytest.approx(kept, rel=1e-6)


def test_moving_average_is_that_of_the_weights_after_each_step(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    after = []
    for epochs in (1, 2):
        plain = stage_of(*AVERAGED, f"trainer.epochs={epochs}", "callbacks=learning_rate")
        train_stage(plain, tmp_path)
        after.append(plain.network.get_weights())
    stage = stage_of(*AVERAGED, *AVERAGE, "trainer.epochs=2", "callbacks=learning_rate")
    train_stage(stage, tmp_path)
    # An epoch is one step; the average begins with the weights after the first one.
    for averaged, first, second in zip(stage.network.get_weights(), *after, strict=True):
        np.testing.assert_allclose(averaged, (first + second) / 2, rtol=1e-5, atol=1e-6)


def test_engine_of_a_training_evaluates_what_it_trained(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    stage = stage_of("model=linear", "dataset.problem=regression")
    training = train_stage(stage, tmp_path)
    assert isinstance(training.engine, Engine)
    assert training.engine.model is stage.network
