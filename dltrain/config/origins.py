"""Finds every file and override that set a value of the config, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.config.compose import Composer, conf_directory
from dltrain.config.conformity import look_up
from dltrain.config.hydra_node import resolving
from dltrain.config.overrides import parse
from dltrain.config.settings import flat

COMMAND_LINE = "command line"
REMOVED = "(removed)"
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")


@dataclass(frozen=True)
class Origin:
    """One place that set the value."""

    source: str  # a YAML file, or the command line
    line: int | None  # the line of the file, from 1; None for the command line
    value: Any  # the value as written there
    reason: str = ""  # what chose the file, such as `optimizer=sgd (command line)`; empty if it is always read

    @property
    def place(self) -> str:
        """Source and line, as editors and terminals link it."""
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass(frozen=True)
class Explained:
    """A value and its history."""

    key: str  # the key or the group
    value: Any  # the final value, resolved; the option of a group
    chain: list[Origin]  # the places that set it; the last one wins
    refers_to: list[str]  # the keys that the winning value names as `${key}`


def explain(composer: Composer, key: str, overrides: Sequence[str]) -> Explained:
    """Finds all places that set a key, such as `optimizer.learning_rate`, or choose the option of a group.

    Raises:
        ConfigError: If the overrides have faults, or nothing sets the key.
    """
    config, faults = composer.check(overrides)
    # Where a key came from can be told while others, such as the path of a table, have no value yet.
    faults = [fault for fault in faults if config is None or not _awaits_value(config, fault.partition(":")[0])]
    if config is None or faults:
        raise ConfigError(faults)
    search = _Search(composer, config, overrides)
    options = search.options(key) if search.is_group(key) else []
    if options:
        return Explained(key, options[-1].value, options, [])
    chain = list(search.values(key))
    with resolving(config):
        value = OmegaConf.select(config, key)
    if not chain:
        raise ConfigError(f"{key}: nothing sets this key.{_nearest(key, config)}")
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value)
    written = chain[-1].value
    return Explained(key, value, chain, _REFERENCE.findall(written) if isinstance(written, str) else [])


def _awaits_value(config: DictConfig, key: str) -> bool:
    parent, _, name = key.rpartition(".")
    node = look_up(config, parent) if parent else config
    return isinstance(node, DictConfig) and OmegaConf.is_missing(node, name)


def _nearest(key: str, config: DictConfig) -> str:
    known = [name for name in flat(_plain(config)) if not name.startswith("hydra.")]
    known += [name for name in config.hydra.runtime.choices if "@" not in name and not name.startswith("hydra/")]
    same_end = [name for name in known if name.endswith(f".{key}")]
    return f" Did you mean {' or '.join(map(repr, same_end[:5]))}?" if same_end else did_you_mean(key, known)


def _plain(config: DictConfig) -> Any:
    return OmegaConf.to_container(config, resolve=False)


class _Search:
    """Goes through the files of one composed config, in the order in which they are merged."""

    def __init__(self, composer: Composer, config: DictConfig, overrides: Sequence[str]) -> None:
        self.choices = config.hydra.runtime.choices
        self.loader = composer.loader
        self.overrides = parse(composer.parser, overrides)[0]
        groups = [each.input_line for each in self.overrides if self.is_group(each.key_or_group)]
        lines = [str(line) for line in groups if line is not None]
        self.files = self.loader.compute_defaults_list(composer.config_name, lines, RunMode.RUN).defaults
        self.primary = composer.config_name

    def is_group(self, key: str) -> bool:
        """Returns whether a key names a group of options."""
        return key in self.choices or bool(self.loader.repository.group_exists(key))

    def options(self, group: str) -> list[Origin]:
        """Returns the places that chose the option of a group."""
        paths = dict.fromkeys([self.primary, *(str(each.config_path) for each in self.files)])
        found = [origin for path in paths for origin in self._chosen_in(path, group)]
        # Hydra decides which of several files wins: the one whose option was chosen in the end.
        found.sort(key=lambda origin: origin.value == self.choices.get(group, origin.value))
        return found + [
            Origin(COMMAND_LINE, None, REMOVED if each.is_delete() else each.value())
            for each in self.overrides
            if each.key_or_group == group
        ]

    def _chosen_in(self, path: str, group: str) -> Iterator[Origin]:
        file, root = self._yaml(path)
        defaults = _find(root, "defaults") if root is not None else None
        for entry in defaults[1].value if defaults else []:
            for name, option in entry.value if isinstance(entry, yaml.MappingNode) else []:
                words = name.value.removeprefix("optional ").removeprefix("override ").removeprefix("optional ")
                if words.removeprefix("/") == group and (words.startswith("/") or path == self.primary):
                    value = yaml.SafeLoader("").construct_object(option, deep=True)
                    yield Origin(file, name.start_mark.line + 1, value)

    def values(self, key: str) -> Iterator[Origin]:
        """Yields the places that set a key."""
        for each in self.files:
            path, package = str(each.config_path), each.package or ""
            if package and not key.startswith(f"{package}."):
                if f"{package}.".startswith(f"{key}."):
                    yield Origin(self._yaml(path)[0], 1, "{…}", self._reason(path))
                continue
            inside = key[len(package) + 1 :] if package else key
            file, root = self._yaml(path)
            if root is not None:
                found = _find(root, inside)
                if found is not None:
                    yield Origin(file, found[0], _value(found[1]), self._reason(path))
            else:
                yield from self._in_structure(path, inside)
        yield from self._typed(key)

    def _in_structure(self, path: str, inside: str) -> Iterator[Origin]:
        """Yields Hydra's own settings, which are classes and have no lines."""
        result = self.loader.repository.load_config(path)
        plain: Any = OmegaConf.to_container(result.config, resolve=False) if result and result.config else {}
        known = flat(plain)
        if known.get(inside, "???") != "???":
            yield Origin(f"Hydra's own {path}", None, known[inside])

    def _typed(self, key: str) -> Iterator[Origin]:
        for each in self.overrides:
            name, value = each.key_or_group, each.value()
            if self.is_group(name) and not isinstance(value, dict):
                continue
            inside = name == key or key.startswith(f"{name}.")
            if each.is_delete() and inside:
                yield Origin(COMMAND_LINE, None, REMOVED)
            elif name == key:
                yield Origin(COMMAND_LINE, None, value)
            elif inside and isinstance(value, dict):
                known = flat(value)
                if key[len(name) + 1 :] in known:
                    yield Origin(COMMAND_LINE, None, known[key[len(name) + 1 :]])
            elif name.startswith(f"{key}."):
                yield Origin(COMMAND_LINE, None, str(each.input_line))

    def _reason(self, path: str) -> str:
        group = path.rpartition("/")[0]
        chain = self.options(group) if group and self.is_group(group) else []
        if not chain:
            return ""
        where = "on the command line" if chain[-1].source == COMMAND_LINE else f"in {chain[-1].place}"
        return f"{group}={_option(chain[-1].value)} {where}"

    def _yaml(self, path: str) -> tuple[str, yaml.Node | None]:
        """Returns the path of a file and its content with line numbers; None as content if it is no file."""
        result = self.loader.repository.load_config(path)
        if result is None or not result.path.startswith("file://"):
            return path, None
        file = Path(result.path.removeprefix("file://")) / f"{path}.yaml"
        return shown(file), yaml.compose(file.read_text("utf-8"), Loader=yaml.SafeLoader)


def _option(value: Any) -> str:
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)


def shown(file: Path) -> str:
    """Returns a file's path from the current directory; for shipped files from their `conf`."""
    for folder in (Path.cwd(), conf_directory().parent):
        if file.is_relative_to(folder):
            return str(file.relative_to(folder))
    return str(file)


def _find(root: yaml.Node, key: str) -> tuple[int, yaml.Node] | None:
    """Returns the line of a dotted key, from 1, and the node of its value."""
    line, node = 0, root
    for name in key.split("."):
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        found = next(((word.start_mark.line + 1, value) for word, value in entries if word.value == name), None)
        if found is None:
            return None
        line, node = found
    return line, node


def _value(node: yaml.Node) -> Any:
    return "{…}" if isinstance(node, yaml.MappingNode) else yaml.SafeLoader("").construct_object(node, deep=True)
