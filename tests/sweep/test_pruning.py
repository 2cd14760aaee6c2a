from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import keras
import optuna
import pytest

from dltrain.errors import PrunedError
from dltrain.sweep import pruning
from dltrain.sweep.ledger import Entry, Ledger


def sweep_with(folder: Path, curves: list[list[float]]) -> Path:
    """A sweep whose jobs had these validation losses."""
    (folder / "sweep.json").write_text("{}")
    for number, curve in enumerate(curves):
        job = folder / str(number)
        job.mkdir()
        (job / "run.json").write_text(json.dumps({"status": "completed"}))
        with (job / "history.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", "val_loss"])
            writer.writerows(enumerate(curve, 1))
        Ledger(folder).append(Entry.of(job, folder))
    return folder / "next"


def epochs_until_pruned(directory: Path, pruner: optuna.pruners.BasePruner, curve: list[float]) -> int | None:
    callback = pruning.Pruning(directory, pruner=pruner, monitor="val_loss", every_epochs=2)
    callback.set_model(keras.Sequential())
    callback.on_train_begin()
    for epoch, value in enumerate(curve):
        try:
            callback.on_epoch_end(epoch, {"val_loss": value})
        except PrunedError:
            return epoch + 1
    return None


@pytest.mark.parametrize(
    ("pruner", "epochs"),
    [
        (optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=3), 4),
        (optuna.pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=2), 2),
    ],
)
def test_hopeless_job_gives_up_and_a_good_one_does_not(tmp_path: Path, pruner: Any, epochs: int) -> None:
    directory = sweep_with(tmp_path, [[1 / (epoch + start) for epoch in range(1, 11)] for start in (1, 2, 3, 4)])
    assert epochs_until_pruned(directory, pruner, [2.0] * 10) == epochs
    assert epochs_until_pruned(directory, pruner, [0.1 / epoch for epoch in range(1, 11)]) is None


def test_outside_of_a_sweep_nothing_is_pruned(tmp_path: Path) -> None:
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=2)
    assert epochs_until_pruned(tmp_path / "run", pruner, [2.0] * 10) is None


@pytest.mark.slow
def test_pruned_jobs_of_a_real_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dltrain import cli

    monkeypatch.chdir(tmp_path)
    words = ["search=halving", "dataset=synthetic", "dataset.rows=60", "model=linear", "trainer.epochs=8", "quiet=true"]
    words += ["callbacks.pruning.every_epochs=1", "callbacks.pruning.pruner.min_resource=2", "search.jobs=6"]
    words += ["search/space=learning_rate", "hydra.sweep.dir=here"]
    assert cli.main(words) == 0
    entries = Ledger(Path("here")).entries()
    assert {entry.status for entry in entries} == {"completed", "pruned"}
    for entry in entries:
        if entry.status == "pruned":
            assert entry.epochs in (2, 6)
            assert "is behind the other jobs" in (entry.reason or "")
            assert json.loads(Path("here", entry.job, "run.json").read_text())["status"] == "pruned"
