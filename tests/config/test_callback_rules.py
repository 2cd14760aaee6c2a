from __future__ import annotations

from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from dltrain.config.callback_rules import faults, too_late


def config(callbacks: Any = None, schedule: Any = None, **task: Any) -> DictConfig:
    metrics = {"accuracy": {"_target_": "keras.metrics.BinaryAccuracy"}, "mean": {"_target_": "keras.metrics.Mean"}}
    row = {"name": "binary", "monitor": "val_loss", "metrics": metrics} | task
    return OmegaConf.create(
        {"task": row, "callbacks": callbacks or {}, "schedule": schedule, "trainer": {"epochs": 10}}
    )


@pytest.mark.parametrize("monitor", ["val_loss", "loss", "accuracy", "val_accuracy"])
def test_a_monitor_that_the_epochs_have_is_no_fault(monitor: str) -> None:
    assert list(faults(config({"stop": {"monitor": monitor}}))) == []


def test_a_monitor_that_never_comes_is_told_once_with_the_nearest() -> None:
    (found,) = faults(config({"stop": {"monitor": "val_acuracy"}, "off": None}))
    assert found.startswith("callbacks.stop.monitor: no metric of task=binary gives 'val_acuracy'.")
    assert "Did you mean 'val_accuracy'" in found
    # A callback that follows the task is not told beside it.
    (found,) = faults(config({"stop": {"monitor": "val_auc"}}, monitor="val_auc"))
    assert found.startswith("task.monitor:")


def test_a_callback_may_wait_for_what_another_one_records() -> None:
    node = {"monitor": "learning_rate", "mode": "min"}
    recorder = {"_target_": "dltrain.training.callbacks.LearningRate"}
    assert list(faults(config({"stop": node, "rate": recorder}))) == []
    assert len(list(faults(config({"stop": node})))) == 1


def test_a_callback_cannot_watch_a_validation_part_that_is_not_there() -> None:
    given = config({"stop": {"monitor": "val_loss"}, "rate": {"monitor": "loss"}})
    given.split = {"validation": None}
    (found,) = faults(given)
    assert found.startswith("callbacks.stop watches val_loss, and split.validation=null leaves no validation part.")
    given.split = {"validation": 0.1}
    assert list(faults(given)) == []


@pytest.mark.parametrize(
    ("callbacks", "schedule", "sentence"),
    [
        ({"stop": {"monitor": "loss", "mode": "mim"}}, None, "callbacks.stop.mode: expected auto, min, max, got 'mim'"),
        ({"p": {"_target_": "keras.callbacks.ReduceLROnPlateau"}}, {"_target_": "a.cosine"}, "schedule=cosine"),
        ({}, {"_target_": "a.steps", "epochs": []}, "schedule.epochs: expected one epoch at least"),
        (
            {"c": {"_target_": "a.Checkpoint", "every_epochs": 1, "every_steps": 2}},
            None,
            "callbacks.c: expected at most one of every_epochs and every_steps",
        ),
    ],
)
def test_what_cannot_work_is_told(callbacks: Any, schedule: Any, sentence: str) -> None:
    (found,) = faults(config(callbacks, schedule))
    assert sentence in found


@pytest.mark.parametrize(("patience", "late"), [(9, False), (10, True)])
def test_typed_patience_is_too_late_from_the_last_epoch_on(patience: int, late: bool) -> None:
    composed = config({"stop": {"patience": patience}})
    assert bool(list(too_late(composed, ["trainer.epochs", "callbacks.stop.patience"]))) is late
    # What was not typed is a default, and the shorter training was meant.
    assert list(too_late(composed, ["callbacks.stop.patience"])) == []
    assert list(too_late(composed, ["trainer.epochs"])) == []
