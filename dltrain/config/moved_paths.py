"""Maps earlier paths of classes and functions, and earlier keys, which users and records name, to today's.

Fingerprints and the spaces of sweeps use the original paths, so that no record has to be rewritten.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict, read_write

logger = logging.getLogger("dltrain")

PACKAGE = "dltrain."
# The earlier path of a module, class or function in the package, and today's; if several lead to the same place, the
# first is the original one.
MOVED = {
    "distribution": "engine.distribution",
    "gaussian": "models.gaussian",
    "objectives": "models.losses",
    "progress": "training.progress",
    "sweep": "sweeps",
}
TARGET = "_target_"
# The trackers by name, each with the keys that stood beside `tracking` while a run had one tracker at most.
TRACKERS = {"mlflow": ("uri", "experiment", "registered_model"), "wandb": ("project", "mode")}


def current(path: str) -> str:
    """Returns today's path of what a config names; a path that has not moved is unchanged."""
    return _replaced(path, MOVED.items())


def original(path: str) -> str:
    """Returns the path before its first move; a path that has not moved is unchanged."""
    return _replaced(path, ((now, before) for before, now in MOVED.items()))


def _replaced(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    for before, after in pairs:
        if f"{path}.".startswith(f"{PACKAGE}{before}."):
            return PACKAGE + after + path.removeprefix(PACKAGE + before)
    return path


def renamed(node: Any, rename: Callable[[str], str]) -> Any:
    """Copies plain mappings and lists with each `_target_` renamed; keys may be flat, as `model._target_`."""
    if isinstance(node, dict):
        return {
            key: rename(value) if _names_a_path(key, value) else renamed(value, rename) for key, value in node.items()
        }
    return [renamed(each, rename) for each in node] if isinstance(node, list) else node


def rename_moved(config: DictConfig | ListConfig) -> None:
    """Replaces earlier paths by today's in each `_target_` of a config."""
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
    """Calls `rename_moved` if an override names an earlier path, since looking at every key takes ten milliseconds."""
    if any(PACKAGE + before in word for word in overrides for before in MOVED):
        rename_moved(config)


def typed_today(words: Sequence[str]) -> list[str]:
    """Returns the words of a command line with today's keys, such as `tracking.mlflow.uri=…`, and tells of each change.

    A tracker from elsewhere may stand at `tracking` itself and keeps its keys.
    """
    chosen = {name for word in words if word.startswith("tracking=") for name in re.findall(r"\w+", word)[1:]}
    from_elsewhere = chosen - {*TRACKERS, "none", "null"}
    found = []
    for word in words:
        for name, keys in TRACKERS.items():
            if name in chosen or not from_elsewhere:
                typed = re.fullmatch(rf"(\W*)tracking\.({'|'.join(keys)})(=.*)?", word, re.DOTALL)
                if typed:
                    word = f"{typed[1]}tracking.{name}.{typed[2]}{typed[3] or ''}"
                    tell_of_name(f"tracking.{typed[2]}", f"tracking.{name}.{typed[2]}")
        found.append(word)
    return found


def rename_written(config: DictConfig) -> None:
    """Moves earlier keys that YAML files set to today's place, if the tracker is chosen whose keys they are."""
    tracking = config.get("tracking")
    if not isinstance(tracking, DictConfig) or TARGET in tracking:
        return
    for name, keys in TRACKERS.items():
        for key in set(keys) & set(tracking) if name in tracking else ():
            with open_dict(tracking):
                tracking[name][key] = tracking.pop(key)
            tell_of_name(f"tracking.{key}", f"tracking.{name}.{key}")


@functools.cache
def tell_of_name(before: str, now: str) -> None:
    """Tells once in a process that a key has another name now."""
    logger.warning("note: %s is called %s now", before, now)


def _names_a_path(key: Any, value: Any) -> bool:
    return isinstance(value, str) and str(key).rpartition(".")[2] == TARGET
