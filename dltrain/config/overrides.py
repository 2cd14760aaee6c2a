"""Parses and applies single overrides of a command line, and says in words what is wrong with them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dltrain.config.conformity import look_up
from dltrain.config.hints import nearest, show
from dltrain.internals.hydra_loading import set_values

MAPPINGS = ("task.class_weight",)  # keys that are null, or a mapping to which single entries can be added
QUOTED_KEY = re.compile(r"""([{,]\s*)(["'])([^"':,{}]+)\2(\s*:)""")


def parse(parser: OverridesParser, lines: Sequence[str]) -> tuple[list[Override], list[str]]:
    """Returns the overrides that can be parsed, and a sentence for each of the others."""
    parsed: list[Override] = []
    faults: list[str] = []
    for line in lines:
        try:
            override = parser.parse_override(line)
            override.config_loader = parser.config_loader  # lists the options that a glob matches
            if isinstance(override.value(), Glob) and not list(override.sweep_string_iterator()):
                faults.append(_no_option(override))
            else:
                parsed.append(override)
        except HydraException as error:
            if "=" in line and line != (bare := QUOTED_KEY.sub(r"\1\3\4", line)):
                reason = f"Keys in braces stand without quotes: '{bare}'."
            elif "=" in line:
                reason = f"{sentence(error)}. Quote what is no plain word or number: 'key=\"a, b\"'."
            else:
                reason = "Expected key=value or group=option."
            faults.append(f"'{line}' cannot be read. {reason}")
    return parsed, faults


def _no_option(override: Override) -> str:
    assert override.config_loader is not None
    options = override.config_loader.get_group_options(override.key_or_group)
    known = f"Choose from {', '.join(sorted(options))}." if options else "It is no group of options."
    return f"{override.key_or_group}: {override.get_value_string()} matches no option. {known}"


def not_listed(override: Override) -> str:
    """Returns the fault of a sweep over an interval, which has no list of values."""
    return (
        f"{override.key_or_group}: {override.get_value_string()} is no list of values. "
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


def apply(override: Override, config: DictConfig, unlisted: dict[str, str]) -> list[str]:
    """Sets, adds or deletes one value; a key that the YAML does not list is added and noted in `unlisted`."""
    key, line, value = override.key_or_group, str(override.input_line), override.value()
    parent, _, name = key.rpartition(".")
    node = look_up(config, parent) if parent else config
    if not OmegaConf.is_config(node) and _holds(config, parent) and not (override.is_add() and parent in MAPPINGS):
        return [f"{key}: '{parent}' is {show(node)} with the chosen options and has no key '{name}'."]
    siblings = list(map(str, node)) if isinstance(node, DictConfig) else []
    try:
        set_values(config, [override])
    except HydraException as error:
        if name in siblings and override.is_add():
            return [f"{key}: there is a value already. Write {line[1:]} to change it."]
        if name in siblings or isinstance(node, ListConfig):
            return [f"{key}: {sentence(error)}"]
        near = nearest(name, siblings)
        if override.is_delete():
            return [f"{key}: there is nothing of this name to delete.{near}"]
        if override.is_hydra_override():
            return [f"{key}: there is no such key.{near}"]
        OmegaConf.update(config, key, value, merge=True, force_add=True)
        unlisted[key] = f"{key}: the chosen options do not set this key.{near} Write +{line} to add it."
    return []


def _holds(config: DictConfig, key: str) -> bool:
    owner, _, name = key.rpartition(".")
    node = look_up(config, owner) if owner else config
    return isinstance(node, DictConfig) and name in node


def sentence(error: BaseException) -> str:
    """Returns the message of Hydra, OmegaConf or the YAML parser in one line."""
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    text = str(cause).partition("\nConfig search path:")[0].partition("\nSee https://")[0]
    lines = [line.strip() for line in text.splitlines() if "full_key:" not in line and "object_type" not in line]
    return " ".join(filter(None, lines)) or type(error).__name__
