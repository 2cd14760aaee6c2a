"""Parses and applies single overrides of a command line, and says in words what is wrong with them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf

from dltrain.base.errors import closest
from dltrain.base.shell_words import command, quoted
from dltrain.config.conformity import look_up
from dltrain.config.hints import show
from dltrain.config.moved_paths import typed_today
from dltrain.config.near_keys import NearKeys
from dltrain.config.plain_words import sentence
from dltrain.config.schema import NAMED
from dltrain.config.written import corrected, why_corrected, why_unreadable
from dltrain.internals.hydra_keys import OPEN
from dltrain.internals.hydra_loading import set_values


def parse(parser: OverridesParser, lines: Sequence[str]) -> tuple[list[Override], list[str]]:
    """Returns the overrides that can be parsed or corrected, and a sentence for each that cannot be taken as it is."""
    parsed: list[Override] = []
    faults: list[str] = []
    for line in typed_today(lines):
        try:
            override = parser.parse_override(line)
            override.config_loader = parser.config_loader  # lists the options that a glob matches
            if isinstance(override.value(), Glob) and not list(override.sweep_string_iterator()):
                faults.append(_no_option(override))
            else:
                parsed.append(override)
        except HydraException:
            meant = corrected(line)
            try:
                if meant is not None:
                    parsed.append(parser.parse_override(meant))  # so that the other checks see what was meant
            except HydraException:  # its key cannot be read either
                meant = None
            key, _, text = line.partition("=")
            reason = why_unreadable(line) if meant is None else f"{key}: {why_corrected(text)}. Write {quoted(meant)}."
            faults.append(reason)
    return parsed, faults


def _no_option(override: Override) -> str:
    assert override.config_loader is not None
    options = override.config_loader.get_group_options(override.key_or_group)
    known = f"Choose from {', '.join(sorted(options))}." if options else "It is not a group of options."
    return f"{override.key_or_group}: {override.get_value_string()} matches no option. {known}"


def not_listed(override: Override) -> str:
    """Returns the fault of a sweep over an interval, which has no list of values."""
    return (
        f"{override.key_or_group}: {override.get_value_string()} is not a list of values. "
        "Give choice(…) or range(…), or put the interval into the space of a search."
    )


def grid_jobs(overrides: Sequence[Override]) -> list[list[str]]:
    """Returns the words of every job of a grid: each value of each swept key with each of the others.

    If a key is given twice, the last one counts.
    """
    words: dict[str, list[str]] = {}
    for each in overrides:
        key = each.get_key_element()
        values = each.sweep_string_iterator() if each.is_sweep_override() else [each.get_value_element_as_str()]
        words[key] = [f"{key}={value}" for value in values]
    return [list(job) for job in itertools.product(*words.values())]


def apply(override: Override, config: DictConfig, unlisted: dict[str, str], repository: Any) -> list[str]:
    """Sets, adds or deletes one value; a key that the YAML does not list is added and noted in `unlisted`."""
    key, line, value = override.key_or_group, str(override.input_line), override.value()
    parent, _, name = key.rpartition(".")
    node = look_up(config, parent) if parent else config
    if meant := _by_choosing(key, line, config, repository):
        return [f"{key}: '{parent}' is not among the chosen options. Did you mean {command(meant)}?"]
    takes_any_name = parent in OPEN or (override.is_add() and parent in NAMED)
    if not OmegaConf.is_config(node) and _holds(config, parent) and not takes_any_name:
        near = NearKeys(config, repository, {}).options_with(key, line.partition("=")[2])
        return [f"{key}: '{parent}' is {show(node)} with the chosen options and has no key '{name}'.{near}"]
    if value == {} and isinstance(there := look_up(config, key), DictConfig) and there:
        single = f"~{key}.{next(map(str, there))}"
        return [f"{key}: an empty mapping is merged into what is there. Delete single keys with {single}."]
    siblings = list(map(str, node)) if isinstance(node, DictConfig) else []
    try:
        set_values(config, [override])
    except HydraException as error:
        if name in siblings and override.is_add():
            return [f"{key}: there is a value already. Write {quoted(line.lstrip('+'))} to change it."]
        if name in siblings or isinstance(node, ListConfig):
            return [f"{key}: {sentence(error)}"]
        found = closest(name, siblings)
        near_key = f"{parent}.{found}" if parent else str(found)
        near = f" Did you mean {quoted(line.replace(key, near_key, 1))}?" if found else ""
        if override.is_delete():
            return [f"{key}: there is nothing of this name to delete.{near}"]
        if override.is_hydra_override():
            return [f"{key}: there is no such key.{near}"]
        OmegaConf.update(config, key, value, merge=True, force_add=True)
        unlisted[key] = f"{key}: the chosen options do not set this key.{near} Write {quoted(f'+{line}')} to add it."
    return []


def _by_choosing(key: str, line: str, config: DictConfig, repository: Any) -> list[str]:
    """Returns the words that also choose the option whose node a key is in, if its group lacks only that."""
    group, _, rest = key.partition(".")
    option, _, name = rest.partition(".")
    options = repository.get_group_options(group, ObjectType.CONFIG) if name and group in NAMED else []
    if option not in options or _holds(config, f"{group}.{option}"):
        return []
    now = look_up(config, group) or {}
    chosen = look_up(config, f"hydra.runtime.choices.{group}")  # Hydra keeps no list
    others = [each for each in now if each in options] if chosen is None else [chosen] if now else []
    return [f"{group}=[{','.join([*others, option])}]" if others else f"{group}={option}", line.lstrip("+")]


def _holds(config: DictConfig, key: str) -> bool:
    owner, _, name = key.rpartition(".")
    node = look_up(config, owner) if owner else config
    return isinstance(node, DictConfig) and name in node
