from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import optuna
import pytest

from dltrain.base.errors import ConfigError, PrunedError
from dltrain.config.compose import Composer
from dltrain.sweeps import pruning
from dltrain.sweeps.ledger import Entry, Ledger


def sweep_with(folder: Path, curves: list[list[float]], space: Sequence[str] = (), own: str = "next") -> Path:
    """A sweep whose jobs had these validation losses."""
    (folder / "sweep.json").write_text(json.dumps({"words": [], "space": list(space), "working_directory": "."}))
    for number, curve in enumerate(curves):
        job = folder / str(number)
        job.mkdir()
        (job / "run.json").write_text(json.dumps({"status": "completed"}))
        with (job / "history.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", "val_loss"])
            writer.writerows(enumerate(curve, 1))
        Ledger(folder).append(Entry.of(job, folder))
    (folder / own / ".hydra").mkdir(parents=True)
    return folder / own


def epochs_until_pruned(
    directory: Path, pruner: optuna.pruners.BasePruner, curve: list[float], way: str = "auto", epochs: int = 99
) -> int | None:
    ways = "auto" if way == "auto" else [way]
    callback = pruning.Pruning(directory, pruner=pruner, objectives=["val_loss"], directions=ways, every_epochs=2)
    callback.set_model(keras.Sequential())
    callback.set_params({"epochs": epochs})
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


def test_the_direction_of_the_search_decides_who_is_hopeless(tmp_path: Path) -> None:
    directory = sweep_with(tmp_path, [[1 / (epoch + start) for epoch in range(1, 11)] for start in (1, 2, 3, 4)])
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=2)
    assert epochs_until_pruned(directory, pruner, [2.0] * 10, way="max") is None


def test_a_job_that_had_all_its_epochs_is_not_pruned(tmp_path: Path) -> None:
    directory = sweep_with(tmp_path, [[0.1, 0.1]] * 4)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=2)
    assert epochs_until_pruned(directory, pruner, [2.0] * 2, epochs=2) is None
    assert epochs_until_pruned(directory, pruner, [2.0] * 2, epochs=3) == 2


def test_outside_of_a_sweep_nothing_is_pruned(tmp_path: Path) -> None:
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=2)
    assert epochs_until_pruned(tmp_path / "run", pruner, [2.0] * 10) is None


def test_a_reproduction_beside_the_jobs_is_not_pruned(tmp_path: Path) -> None:
    sweep_with(tmp_path, [[0.1] * 10] * 4)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=2)
    assert epochs_until_pruned(tmp_path / "next", pruner, [2.0] * 10) == 2
    assert epochs_until_pruned(tmp_path / "0_reproduced", pruner, [2.0] * 10) is None


@pytest.mark.parametrize(
    ("words", "objective", "way"),
    [
        ([], "val_loss", "auto"),
        (["task=binary", "search.objectives=[val_accuracy]"], "val_accuracy", "auto"),
        (["search.directions=[max]"], "val_loss", ["max"]),
    ],
)
def test_pruning_follows_the_objective(words: list[str], objective: str, way: object) -> None:
    node = Composer().compose(["search=halving", *words]).callbacks.pruning
    assert (node.objectives, node.directions) == ([objective], way)


@pytest.mark.parametrize(
    ("objectives", "message"),
    [
        ("[val_loss,val_accuracy]", "jobs are pruned by a single objective, got val_loss, val_accuracy"),
        ("[parameters]", "by a validation metric of their epochs, got 'parameters'"),
        ("[seconds]", "by a validation metric of their epochs, got 'seconds'"),
        ("[]", "expected at least one"),
    ],
)
@pytest.mark.parametrize("name", ["halving", "median"])
def test_objectives_that_no_epoch_has_are_refused(name: str, objectives: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Composer().compose([f"search={name}", f"search.objectives={objectives}"])


@pytest.mark.parametrize("words", [["cv=kfold"], ["seeds=3"], ["strategy=none", "cv=leave_one_out"]])
def test_folds_and_seeds_are_not_pruned(words: list[str]) -> None:
    key = words[-1].partition("=")[0]
    with pytest.raises(ConfigError, match=rf"^{key}: search=halving and .* Use {key}=.* such as search=random"):
        Composer().compose(["search=halving", *words])
    Composer().compose(["search=random", *words])


EVERY, FIRST = "callbacks.pruning.every_epochs", "callbacks.pruning.pruner.min_resource"


@pytest.mark.parametrize(
    ("words", "first"),
    [([], 10), ([f"{FIRST}=11"], 15), ([f"{EVERY}=4"], 12), ([f"{FIRST}=2", f"{EVERY}=1"], 2)],
)
def test_epochs_that_no_rung_follows_are_refused(words: list[str], first: int) -> None:
    message = rf"^trainer.epochs: {first} epochs .* after epoch {first} .*more than {first}"
    with pytest.raises(ConfigError, match=message):
        Composer().compose(["search=halving", f"trainer.epochs={first}", *words])
    Composer().compose(["search=halving", f"trainer.epochs={first + 1}", *words])
    Composer().compose(["search=halving", "trainer.epochs=2", "+search.space.trainer.epochs.choices=[2,99]", *words])


def test_epochs_within_the_warm_up_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"pruner.n_warmup_steps=10, .* a smaller n_warmup_steps"):
        Composer().compose(["search=median", "trainer.epochs=10"])
    Composer().compose(["search=median", "trainer.epochs=11"])


@pytest.mark.slow
def test_pruned_jobs_of_a_real_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dltrain.cli import main as cli

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


def test_jobs_that_may_run_beside_it_do_not_count_even_if_they_have_ended(tmp_path: Path) -> None:
    curves = [[1 / (epoch + start) for epoch in range(1, 11)] for start in (1, 2, 3, 4)]
    pruner = optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=3)
    for at_once, epochs in (("1", 4), ("2", 4), ("3", None), ("auto", 4)):
        folder = tmp_path / at_once
        folder.mkdir()
        directory = sweep_with(folder, curves, [f"search.at_once={at_once}"], own="4")
        assert epochs_until_pruned(directory, pruner, [2.0] * 10) == epochs


def test_what_a_job_reports_does_not_stay_in_its_process(tmp_path: Path) -> None:
    curves = [[1 / (epoch + start) for epoch in range(1, 11)] for start in (1, 2)]
    directory = sweep_with(tmp_path, curves)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=3)
    for _ in range(3):  # of two jobs that have ended a median of three cannot be known
        assert epochs_until_pruned(directory, pruner, [2.0] * 10) is None
