from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.base.errors import ConfigError
from dltrain.engine.engine import Engine
from dltrain.preprocessing.rows import Resident
from dltrain.training.checkpoint import Checkpoint

BATCH, STEPS, EPOCHS = 8, 5, 4


def make_checkpoint(path: Path, **given: Any) -> Checkpoint:
    options = {"monitor": "val_loss", "mode": "auto", "best_only": False}
    counts = dict.fromkeys(("every_epochs", "every_steps", "every_samples"))
    return Checkpoint(path, BATCH, **{**options, **counts, **given})


class Files(keras.callbacks.Callback):
    """What stands in the folder before each step and after each epoch, and the epochs' logs."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.steps: list[int | None] = []
        self.epochs: list[dict[str, Any]] = []
        self.written: list[bool] = []

    def _state(self) -> dict[str, Any] | None:
        path = self.folder / "state.json"
        return json.loads(path.read_text()) if path.exists() else None

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        state = self._state()
        self.steps.append(state and state["step"])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append(dict(logs))
        self.written.append((self.folder / "last.keras").exists())


def rows(seed: int) -> Resident:
    values = np.random.default_rng(seed).standard_normal((BATCH * STEPS - 2, 2)).astype(np.float32)
    return Resident({"table": values}, values @ np.array([[3.0], [-2.0]], np.float32))


def train(path: Path, checkpoint: Checkpoint, rate: float = 0.02) -> tuple[keras.Model, Files, Engine]:
    keras.utils.set_random_seed(0)
    inputs = {"table": keras.Input((2,), name="table")}
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs["table"]))
    model.compile(keras.optimizers.SGD(rate), "mse")
    files = Files(path / "checkpoints")
    engine = Engine(model, batch_size=BATCH, shuffle=True, seed=0)
    engine.train(rows(0), rows(1), epochs=EPOCHS, callbacks=[checkpoint, files])
    return model, files, engine


@pytest.mark.parametrize(("count", "every"), [({"every_steps": 2}, 2), ({"every_samples": 20}, 3)])
def test_writes_at_every_multiple_of_steps_or_samples(tmp_path: Path, count: dict[str, int], every: int) -> None:
    _, files, _ = train(tmp_path, make_checkpoint(tmp_path, **count))
    expected = [step // every * every or None for step in range(STEPS * EPOCHS)]
    assert files.steps == expected


def test_writes_at_every_multiple_of_epochs_and_at_the_end(tmp_path: Path) -> None:
    _, files, _ = train(tmp_path, make_checkpoint(tmp_path, every_epochs=3))
    assert files.written == [False, False, True, True]
    assert files.steps[-1] == 3 * STEPS
    state = json.loads((tmp_path / "checkpoints" / "state.json").read_text())
    assert state == {
        "epoch": EPOCHS,
        "step": EPOCHS * STEPS,
        "monitor": "val_loss",
        "best": files.epochs[-1]["val_loss"],
        "best_epoch": EPOCHS,
    }


def test_without_a_count_a_short_training_is_written_at_its_end(tmp_path: Path) -> None:
    model, files, _ = train(tmp_path, make_checkpoint(tmp_path))
    assert files.written == [False] * EPOCHS
    last = keras.models.load_model(tmp_path / "checkpoints" / "last.keras")
    for one, other in zip(last.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert int(last.optimizer.iterations) == EPOCHS * STEPS
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "best.keras",
        "last.keras",
        "state.json",
    ]


def test_best_scores_as_the_best_epoch(tmp_path: Path) -> None:
    # So large a rate makes the loss rise again.
    checkpoint = make_checkpoint(tmp_path, monitor="val_loss", every_epochs=1)
    _, files, engine = train(tmp_path, checkpoint, rate=1.1)
    values = [epoch["val_loss"] for epoch in files.epochs]
    best = int(np.argmin(values))
    assert best < EPOCHS - 1
    assert (checkpoint.best, checkpoint.best_epoch) == (values[best], best + 1)
    loaded = keras.models.load_model(tmp_path / "checkpoints" / "best.keras")
    validation = rows(1)
    found = loaded.evaluate(validation.features, validation.targets, verbose=0)
    assert found == pytest.approx(values[best], rel=1e-5)
    assert engine.evaluate(validation)["loss"] == pytest.approx(values[-1], rel=1e-6)
    checkpoint.restore_best()
    assert engine.evaluate(validation)["loss"] == pytest.approx(values[best], rel=1e-6)


def test_mode_max_keeps_the_greatest(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path, mode="max")
    _, files, _ = train(tmp_path, checkpoint)
    assert checkpoint.best == max(epoch["val_loss"] for epoch in files.epochs)


def test_best_only_writes_no_last(tmp_path: Path) -> None:
    train(tmp_path, make_checkpoint(tmp_path, every_steps=2, best_only=True))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["best.keras", "state.json"]


@pytest.mark.parametrize("counts", [{"every_steps": 1, "every_epochs": 1}, {"every_samples": 0}])
def test_several_counts_and_no_count_are_refused(tmp_path: Path, counts: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"callbacks\.checkpoint: expected at most one count of at least 1, got"):
        make_checkpoint(tmp_path, **counts)
