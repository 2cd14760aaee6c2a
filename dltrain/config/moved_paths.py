"""Where classes and functions stand now that configs name by an earlier path: those of users, and recorded ones.

Fingerprints and the spaces of sweeps are made of the earlier paths, as they were before the first move, so that
nothing that was recorded has to be written anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf, read_write

logger = logging.getLogger("dltrain")

PACKAGE = "dltrain."
# Below the package, the earlier path of a module, a class or a function, and today's; the first of several that lead to
# the same place is the original one.
MOVED = {
    "distribution": "engine.distribution",
    "gaussian": "models.gaussian",
    "objectives": "models.losses",
    "progress": "training.progress",
}
TARGET = "_target_"


def current(path: str) -> str:
    """Today's path of what a config names; one that has not moved stays as it is."""
    return _replaced(path, MOVED.items())


def original(path: str) -> str:
    """The path before it moved for the first time; one that has not moved stays as it is."""
    return _replaced(path, ((now, before) for before, now in MOVED.items()))


def _replaced(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    for before, after in pairs:
        if f"{path}.".startswith(f"{PACKAGE}{before}."):
            return PACKAGE + after + path.removeprefix(PACKAGE + before)
    return path


def renamed(node: Any, rename: Callable[[str], str]) -> Any:
    """A copy of plain mappings and lists with each `_target_` renamed; keys may be flat, as `model._target_`."""
    if isinstance(node, dict):
        return {
            key: rename(value) if _names_a_path(key, value) else renamed(value, rename) for key, value in node.items()
        }
    return [renamed(each, rename) for each in node] if isinstance(node, list) else node


def rename_moved(config: DictConfig | ListConfig) -> None:
    """Puts today's path into each `_target_` of a config that has an earlier one."""
    for key in list(config) if isinstance(config, DictConfig) else range(len(config)):
        if OmegaConf.is_missing(config, key) or OmegaConf.is_interpolation(config, key):
            continue
        value = config[key]
        if OmegaConf.is_config(value):
            rename_moved(value)
        elif _names_a_path(key, value) and value != (now := current(value)):
            logger.debug("%s is %s now", value, now)
            with read_write(config):
                config[key] = now


def rename_typed(config: DictConfig, overrides: Iterable[str]) -> None:
    """Does that where an override may have brought an earlier path; looking at every key takes ten milliseconds."""
    if any(PACKAGE + before in word for word in overrides for before in MOVED):
        rename_moved(config)


def _names_a_path(key: Any, value: Any) -> bool:
    return isinstance(value, str) and str(key).rpartition(".")[2] == TARGET
