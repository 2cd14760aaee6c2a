from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from dltrain.config.tasks import TASKS
from dltrain.data.task_row import task_row


def test_a_named_task_is_taken_as_it_is() -> None:
    task = OmegaConf.create({"name": "binary", "monitor": "loss"})
    assert task_row(task, "regression") is task


@pytest.mark.parametrize("name", TASKS)
def test_auto_becomes_the_row_of_the_inferred_task(name: str) -> None:
    row = task_row(OmegaConf.create({"name": "auto", "monitor": None}), name)
    assert row.name == name
    assert row.loss["_target_"].endswith(TASKS[name].loss)
    assert row.monitor is not None


def test_what_was_chosen_beside_auto_stays() -> None:
    row = task_row(OmegaConf.create({"name": "auto", "monitor": "val_auc", "class_weight": "balanced"}), "binary")
    assert (row.name, row.monitor, row.class_weight) == ("binary", "val_auc", "balanced")
