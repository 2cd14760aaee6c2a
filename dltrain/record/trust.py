"""Decides whether a verb that only looks at a run may build what the run's config and model name.

A config is code: a `_target_` can name anything that is installed. Verbs that look build the classes and functions that
dltrain's own YAML names, and Keras' layers, losses, metrics and the like. Further ones are built if the run was trained
here by this user, for which hashes of its files are kept, or if the user says so.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dltrain.base.errors import ConfigError
from dltrain.base.regular_file import is_reachable
from dltrain.config.compose import conf_directory
from dltrain.config.moved_paths import TARGET, current
from dltrain.data.storage import data_directories
from dltrain.record.damage import sha256
from dltrain.record.record import Record

FOLDER = "trusted"  # of the data directory: an empty file for each hash
CONFIG, MODEL = "config.yaml", "model.keras"
BUILT = ("dataset", "task")  # the groups of a config of which such verbs build something
KERAS_CLASS = re.compile(
    r"keras\.(layers|losses|metrics|optimizers|initializers|regularizers|constraints)\.(?P<name>[A-Z]\w*)"
)
# Layers that run code or files which their config names.
RUN_CODE = ("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")


def remember(file: Path) -> None:
    """Notes that this user trained the run of a config.yaml or model.keras; without a home nothing is noted."""
    for folder in data_directories():
        with contextlib.suppress(OSError):
            (folder / FOLDER).mkdir(parents=True, exist_ok=True)
            (folder / FOLDER / sha256(file)).touch()


def require_trusted(record: Record, *, trust: bool, verb: str = "") -> None:
    """Refuses a run that names what must not be built, unless `trust` is given.

    `verb` is the one that the person typed; without one the sentence is for Python.

    Raises:
        ConfigError: If it names such a class or function, or its config cannot be read.
    """
    if trust:
        return
    names = [
        name
        for file, find in ((CONFIG, _strange_targets), (MODEL, _strange_layers))
        if not _is_remembered(record.path / file)
        for name in find(record)
    ]
    if not names:
        return
    path = str(record.path)
    command = f"dltrain {verb} {shlex.quote(path)} --trust" if verb else f"dltrain.load({path!r}, trust=True)"
    raise ConfigError(
        f"'{path}' names {', '.join(dict.fromkeys(names))}, which would be run, and was not trained here by you as it "
        f"is now. If you trust it: {command}"
    )


@cache
def named_in_conf() -> frozenset[str]:
    """Returns every target that a shipped YAML file names."""
    found = re.compile(rf"^[^#\n]*\b{TARGET}:\s*([\w.]+)", re.MULTILINE)
    texts = (file.read_text("utf-8") for file in conf_directory().rglob("*.yaml"))
    return frozenset(target for text in texts for target in found.findall(text))


def is_known(target: str) -> bool:
    """Returns whether a target is one of dltrain's YAML, or a class of Keras that runs no code of a config."""
    if current(target) in named_in_conf():
        return True
    match = KERAS_CLASS.fullmatch(target)
    return match is not None and match["name"] not in RUN_CODE


def _strange_targets(record: Record) -> Iterator[str]:
    try:
        config = record.config
    except ConfigError:  # nothing is built of what cannot be read
        return
    for group in BUILT:
        try:
            node = OmegaConf.select(config, group)
            plain = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else None
        except OmegaConfBaseException as error:
            raise ConfigError(f"'{record.path / CONFIG}': {group} cannot be read: {error}") from error
        for each in _nodes(plain):
            if TARGET in each and not is_known(str(each[TARGET])):
                yield f"{each[TARGET]} ({group})"


def _strange_layers(record: Record) -> Iterator[str]:
    """Yields what a saved model names beside Keras' own classes; Keras itself tells if the file cannot be read."""
    try:
        with zipfile.ZipFile(record.path / MODEL) as file:
            config = json.loads(file.read("config.json"))
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return
    for each in _nodes(config):
        name, module = each.get("class_name"), each.get("module")
        if not isinstance(name, str):
            continue
        own = isinstance(module, str) and f"{module}." != "builtins." and not f"{module}.".startswith("keras.")
        if own or name in (*RUN_CODE, "__lambda__"):
            yield f"{module}.{name} (in {MODEL})" if module else f"{name} (in {MODEL})"


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yields every mapping within plain values, at any depth."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            yield each
            left += each.values()
        elif isinstance(each, list):
            left += each


def _is_remembered(file: Path) -> bool:
    try:
        name = sha256(file)
    except OSError:
        return False
    return any(is_reachable(folder / FOLDER / name) for folder in data_directories())
