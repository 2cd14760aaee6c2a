"""Resolves the task's row of the head table that a run trains with."""

from __future__ import annotations

from typing import cast

from omegaconf import DictConfig, OmegaConf

from dltrain.config.compose import conf_directory


def task_row(task: DictConfig, name: str) -> DictConfig:
    """Returns the config's own row, or for auto the row of the inferred task with the user's choices merged in."""
    if task.name != "auto":
        return task
    row = OmegaConf.load(conf_directory() / "task" / f"{name}.yaml")
    chosen = {key: value for key, value in task.items() if key != "name" and value is not None}
    return cast("DictConfig", OmegaConf.merge(row, chosen))
