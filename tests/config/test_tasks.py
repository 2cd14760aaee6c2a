"""Each row of the head table has its traits, and no other module compares a task by its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf

import dltrain
from dltrain.config.compose import conf_directory
from dltrain.config.tasks import TASKS

PACKAGE = Path(dltrain.__file__).parent


def test_every_row_of_the_head_table_has_its_traits() -> None:
    files = {file.stem for file in (conf_directory() / "task").glob("*.yaml")}
    assert files == {"auto", *TASKS}


@pytest.mark.parametrize("name", TASKS)
def test_the_row_agrees_with_the_traits(name: str) -> None:
    task, row = TASKS[name], OmegaConf.load(conf_directory() / "task" / f"{name}.yaml")
    assert row.loss["_target_"].rpartition(".")[2] == task.loss
    assert row.activation in (task.activations or (None,))
    assert ("class_weight" in row) is task.one_class
    assert ("monte_carlo_dropout" in row) is task.deviation
    assert ("target_scaling" in row) is task.unbounded
    assert task.row_measure in row.metrics


def test_a_task_is_one_thing() -> None:
    for task in TASKS.values():
        assert [task.one_class, task.labels, task.quantity].count(True) == 1
        assert not (task.two_classes and task.several_classes)
        assert not (task.bounded and task.unbounded)


def test_no_other_module_compares_a_tasks_name() -> None:
    quoted = re.compile(rf"""["']({"|".join(TASKS)})["']""")
    files = {file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py") if quoted.search(file.read_text())}
    # rows.py is copied beside an exported model, where dltrain is not.
    assert files == {"config/tasks.py", "exporting/rows.py"}
