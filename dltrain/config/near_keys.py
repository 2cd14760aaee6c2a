"""Finds what was meant by a key that does not exist: its full name, or the option that has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hydra.core.object_type import ObjectType
from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import closest, did_you_mean
from dltrain.base.shell_words import command
from dltrain.config.conformity import look_up
from dltrain.config.written import of_file, with_text

# What other programs call a key.
ALIASES = {
    "lr": "learning_rate",
    "bs": "batch_size",
    "wd": "weight_decay",
    "file": "path",
    "csv": "path",
    "label": "target",
}
NO_HINT = ("name", "")  # most nodes have a name
NO = ("false", "null", "none", "off", "0")
# Groups whose options are no node of the same name, or are chosen by other groups.
NOT_SEARCHED = ("hydra", "experiment", "shrink", "callbacks")
MOST_SHOWN = 3


class NearKeys:
    """Knows the keys of a composed config, and reads those of the other options when they are asked for.

    `values` maps typed keys to the text of their values; `unlisted` are typed keys that were added to the config.
    """

    def __init__(
        self, config: DictConfig, repository: Any, values: Mapping[str, str], unlisted: Iterable[str] = ()
    ) -> None:
        self.repository, self.values = repository, values
        container: Any = OmegaConf.to_container(config, resolve=False)
        self.suggested: set[str] = set()
        own = {name: value for name, value in container.items() if name != "hydra"}
        added = set(unlisted)
        self.nodes = {key: value for key, value in _nodes(own) if key not in added}

    def __call__(self, key: str, siblings: Iterable[str]) -> str:
        """Returns the end of a sentence about a key that does not exist, with the words that were meant.

        `siblings` are the names that are valid in its place.
        """
        key = next((typed for typed in self.values if typed.startswith(f"{key}.")), key)
        value = self.values.get(key)
        parent, _, name = key.rpartition(".")
        if value is None:  # of a YAML file
            return did_you_mean(name, siblings)
        found = self.meant(key, value, siblings)
        if found:
            return f" Did you mean {' or '.join(command(words) for words in found[:MOST_SHOWN])}?"
        return did_you_mean(name, siblings) if parent else " `dltrain --cfg job` prints every key."

    def meant(self, key: str, value: str, siblings: Iterable[str] = ()) -> list[list[str]]:
        """Returns the words that may have been meant by `key=value`, the likeliest first."""
        siblings = list(siblings)
        parent, _, name = key.rpartition(".")
        name = name.replace("-", "_")
        name = ALIASES.get(name, name)
        if same := self._ending_in(name, value):
            # Of the groups, the optimizer is the one whose arguments are typed without it.
            set_there = any(full.startswith("optimizer.") for full in same)
            options = [] if set_there or parent else self._of_options(name, value, "optimizer")
            return [*(self._words(full, value) for full in same), *options]
        ends = [] if parent else [full.rpartition(".")[2] for full in self.nodes]
        near = closest(name, [*siblings, *ends])
        if near in siblings:
            return [self._words(f"{parent}.{near}" if parent else str(near), value)]
        group = parent if self.repository.group_exists(parent) else ""
        if found := list(self._of_options(name, value, group)):
            return found
        return [self._words(full, value) for full in self._ending_in(near or "", value)]

    def options_with(self, key: str, value: str) -> str:
        """Returns the end of a sentence that names the option of a group that has a key, or an empty text."""
        parent, _, name = key.rpartition(".")
        found = list(self._of_options(name, value, parent))
        return f" Did you mean {command(found[0])}?" if found else ""

    def is_end(self, name: str) -> bool:
        """Returns whether a key of the config ends in a name, or another program calls such a key so."""
        return bool(self._ending_in(ALIASES.get(name, name), ""))

    def _ending_in(self, name: str, value: str) -> list[str]:
        """Returns the keys whose last part is a name; those of nodes only if the value asks for none."""
        if name in NO_HINT:
            return []
        found = [full for full in self.nodes if full.rpartition(".")[2] == name and full != name]
        return [full for full in found if value.lower() in NO or not isinstance(self.nodes[full], dict)]

    def _words(self, key: str, value: str) -> list[str]:
        if key == "dataset" and Path(value).suffix:
            return of_file(value)
        self.suggested.add(key)
        now = self.nodes.get(key)
        if isinstance(now, dict) and value.lower() in NO:
            return [f"~{key}"]
        if isinstance(now, list) and not value.startswith("["):
            return [f"{key}=[{value}]"]
        # Shipped datasets may take a file of the same data; whoever types a path has one of their own.
        chosen = ["dataset=csv"] if key == "dataset.path" and "dataset" not in self.values else []
        return [*chosen, with_text(key, value)]

    def _of_options(self, name: str, value: str, group: str) -> Iterator[list[str]]:
        if name in NO_HINT:
            return
        groups = [group] if group else self.repository.get_group_options("", ObjectType.GROUP)
        for each in groups:
            if each in NOT_SEARCHED:
                continue
            for option in self.repository.get_group_options(each, ObjectType.CONFIG):
                file = self.repository.load_config(f"{each}/{option}")
                config = getattr(file, "config", None)
                places = (each, config), (f"{each}.{option}", look_up(config, option))  # some options are nodes by name
                if place := next((place for place, node in places if _has(node, name)), None):
                    yield [f"{each}={option}", with_text(f"{place}.{name}", value)]
                    break  # the first one shows how


def _has(node: Any, name: str) -> bool:
    return isinstance(node, DictConfig) and name in node and not OmegaConf.is_dict(look_up(node, name))


def _nodes(mapping: Mapping[Any, Any], parent: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in mapping.items():
        key = f"{parent}.{name}" if parent else str(name)
        yield key, value
        if isinstance(value, dict):
            yield from _nodes(value, key)
