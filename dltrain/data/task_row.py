"""The row of the head table that a run trains by."""

from __future__ import annotations

from typing import cast

from omegaconf import DictConfig, OmegaConf

from dltrain.config.compose import conf_directory


def task_row(task: DictConfig, name: str) -> DictConfig:
    """The config's own row, or where it says auto, that of the inferred name with what was chosen beside it."""
    if task.name != "auto":
        return task
    row = OmegaConf.load(conf_directory() / "task" / f"{name}.yaml")
    chosen = {key: value for key, value in task.items() if key != "name" and value is not None}
    return cast("DictConfig", OmegaConf.merge(row, chosen))
