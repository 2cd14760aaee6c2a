"""Describes the YAML files of a config as a JSON Schema (draft 7), for editors.

It is made of what checks a config before a run: the declared keys, the signatures of targets, and the ranges.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints

from dltrain.config.compose import conf_directory
from dltrain.config.conformity import HYDRA_KEYS, hint_of
from dltrain.config.hints import accepts
from dltrain.config.json_parts import (
    KEYWORDS,
    Schema,
    alternatives,
    closed,
    described,
    limits,
    reference,
    typed,
)
from dltrain.config.option_files import OptionFile
from dltrain.config.schema import NAMED, Config
from dltrain.config.signatures import TargetSignature, signature

DRAFT = "http://json-schema.org/draft-07/schema#"
# Any value may be an interpolation, or be left open for the command line.
LATER: Schema = {"type": "string", "pattern": r"\$\{.+\}|^\?\?\?$"}
DEFAULTS: Schema = {
    "type": "array",
    "items": {"type": ["string", "object"]},
    "description": "The files that this one builds on, such as `- override /optimizer: sgd`; later ones win.",
}


class Document:
    """The JSON Schema of all YAML files that choose and set options, from the option files in some folders."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.files = [OptionFile(path, folder) for folder in folders for path in sorted(folder.rglob("*.yaml"))]
        self.fields = {field.name: field for field in dataclasses.fields(Config)}
        self.hints = get_type_hints(Config)
        self.nodes: Schema = {}  # what stands at a key that targets stand at
        self.keys: set[str] = set()

    def as_json(self) -> Schema:
        """Returns the schema: a file is an experiment, or an option of one of the groups."""
        groups = {name: self._group(name) for name in self.fields}
        options = [name for name in groups if any(file.group == name for file in self.files)]
        hydra = {"type": "object", "description": "Hydra's own settings, such as hydra.run.dir."}
        keys = {name: reference(name) for name in groups}
        return {
            "$schema": DRAFT,
            "title": "dltrain",
            "description": "An experiment, or an option of a group.",
            "anyOf": [reference(name) for name in ("experiment", *options, "space", "foreign")],
            "definitions": {
                "experiment": closed({**keys, "defaults": DEFAULTS, "hydra": hydra}),
                **groups,
                **{f"{key}.node": node for key, node in self.nodes.items()},
                "dimension": _dimension(self.fields),
                "space": self._space(),
                "foreign": self._foreign(),
            },
        }

    def _space(self) -> Schema:
        """Describes what a search draws: a dimension for each key, below its group."""
        groups: Schema = {}
        for name in self.fields:
            known = [key.removeprefix(f"{name}.") for key in self.keys if key.startswith(f"{name}.")]
            inner = {key: reference("dimension") for key in sorted(known) if "." not in key and "*" not in key}
            for key in sorted({key.partition(".")[0] for key in known if "." in key}):
                deeper = {"type": "object", "additionalProperties": {"type": "object"}}
                inner[key] = {"anyOf": [reference("dimension"), deeper]}
            groups[name] = {"anyOf": [reference("dimension"), closed(inner)]}
        return closed({**groups, "defaults": DEFAULTS})

    @cached_property
    def targets(self) -> dict[str, dict[str, str]]:
        """The targets that option files name at each key, each with what is said of it; `*` stands for any name."""
        found: dict[str, dict[str, str]] = {}
        for file in self.files:
            for key, target in file.targets():
                found.setdefault(_general(key), {}).setdefault(target, file.summary)
        return found

    def raw_targets(self, group: str) -> set[str]:
        """Returns the keys below a group at which option files name a target."""
        return {key for file in self.files for key, _ in file.targets() if key.startswith(f"{group}.")}

    @cached_property
    def comments(self) -> dict[str, str]:
        """What option files say of each key."""
        return {key: text for file in reversed(self.files) for key, text in file.comments().items()}

    def _foreign(self) -> Schema:
        """Describes a node whose target no option file names, such as a class of one's own."""
        own = [several for key, several in self.targets.items() if key.partition(".")[0] in self.fields]
        known = sorted({target for several in own for target in several})
        target = {"type": "string", "not": {"enum": known}}
        return {"type": "object", "properties": {"_target_": target}, "required": ["_target_"]}

    def _group(self, name: str) -> Schema:
        field, hint = self.fields[name], self.hints[name]
        options = sorted(file.path.stem for file in self.files if file.group == name)
        told = self.comments.get(name) or (f"Options: {', '.join(options)}." if options else "")
        found = self._named(name) if name in NAMED else self._value(name, hint, field.metadata)
        if name in NAMED and accepts(hint, None):
            found = {"anyOf": [found, reference("foreign"), {"type": "null"}]}
        return described(found, told)

    def _named(self, group: str) -> Schema:
        """Describes nodes by name, of which a new one needs a target."""
        node = {"anyOf": [self._node(f"{group}.*"), {"type": "null"}]}
        properties: Schema = dict.fromkeys(sorted(key.split(".")[1] for key in self.raw_targets(group)), node)
        new = {"allOf": [self._node(f"{group}.*"), {"required": ["_target_"]}]}
        return {**closed({**properties, "defaults": DEFAULTS}), "additionalProperties": new}

    def _value(self, key: str, hint: Any, metadata: Mapping[str, Any]) -> Schema:
        """Describes the value of a key by its type and by what limits it."""
        within = [part for part in alternatives(hint) if isinstance(part, type) and dataclasses.is_dataclass(part)]
        self.keys.add(key)
        if key == "search.space":
            found = reference("space")
        elif within:
            found = self._declared(key, within[0])
            found = {"anyOf": [found, {"type": "null"}]} if accepts(hint, None) else found
        elif _general(key) in self.targets:
            found = {"anyOf": [self._node(key), {"type": "null"}]}
        elif _general(f"{key}.*") in self.targets:
            found = {"type": "object", "additionalProperties": self._node(f"{key}.*")}
        else:
            found = typed(hint)
        choices = metadata.get("choices", ())
        bounds = {KEYWORDS[name]: bound for name, bound in metadata.items() if name in KEYWORDS}
        if choices:
            found = {"enum": [*choices, *([None] if hint is not Any and accepts(hint, None) else [])]}
            found = {"anyOf": [found, {"type": "number", **bounds}]} if bounds else found
        elif bounds:
            found = {**found, **bounds}
        found = {**found, **limits(key)}
        if items := limits(f"{key}[0]"):
            found = {**found, "items": items}
        return described({"anyOf": [found, LATER]} if found else {}, self.comments.get(key, ""))

    def _declared(self, key: str, kind: type[Any]) -> Schema:
        hints = get_type_hints(kind)
        fields = {field.name: field for field in dataclasses.fields(kind)}
        properties = {n: self._value(f"{key}.{n}", hints[n], field.metadata) for n, field in fields.items()}
        return closed({**properties, "defaults": DEFAULTS})

    def _node(self, key: str) -> Schema:
        """Describes a node: the arguments of its target, or without one those of all targets that stand there."""
        name = _general(key)
        if name not in self.nodes:
            self.nodes[name] = {}  # a node within itself refers to it
            self.nodes[name] = self._new_node(name)
        return reference(f"{name}.node")

    def _new_node(self, key: str) -> Schema:
        several = self.targets[key]
        every: Schema = {}
        known = []
        for target in several:
            properties = self._arguments(key, target)
            for name, value in properties.items():
                every.setdefault(name, [])
                every[name] += [value] if value not in every[name] else []
            found = signature(target)
            is_open = not isinstance(found, TargetSignature) or found.open
            chosen = {"required": ["_target_"], "properties": {"_target_": {"const": target}}}
            known.append({"if": chosen, "then": closed({**_hydra_keys(), **properties}, is_open=is_open)})
        joined = {name: values[0] if len(values) == 1 else {"anyOf": values} for name, values in every.items()}
        other = {"required": ["_target_"], "properties": {"_target_": {"enum": list(several)}}}
        named = {"if": {"not": other, "required": ["_target_"]}, "then": reference("foreign")}
        bare = {"if": {"not": {"required": ["_target_"]}}, "then": closed({**_hydra_keys(), **joined})}
        properties = {"_target_": {"type": "string", "examples": list(several)}}
        return {"type": "object", "properties": properties, "allOf": [*known, named, bare]}

    def _arguments(self, key: str, target: str) -> Schema:
        found = signature(target)
        said = {name for path in self.comments if (name := path.removeprefix(f"{key}.")) != path and "." not in name}
        if not isinstance(found, TargetSignature):
            return {name: self._value(f"{key}.{name}", Any, {}) for name in said}
        return {name: self._value(f"{key}.{name}", hint_of(found, name), {}) for name in found.parameters}


def shipped_with(extra: Path | None) -> Schema:
    """Returns the schema of the shipped options, together with those in a folder of one's own."""
    return Document([conf_directory(), *([] if extra is None else [extra])]).as_json()


def _dimension(groups: Iterable[str]) -> Schema:
    """Describes what is drawn for one key: choices, or a number from low to high."""
    bounds = closed({"low": {"type": "integer", "minimum": 1}, "high": {"type": "integer", "minimum": 1}})
    properties: Schema = {
        "choices": {"type": "array", "description": "The values, one of which is drawn."},
        "low": {"type": "number", "description": "The least number."},
        "high": {"type": "number", "description": "The greatest number."},
        "log": {"type": "boolean", "description": "Whether the logarithm of the number is drawn uniformly."},
        "integer": {"type": "boolean", "description": "Whether only whole numbers are drawn."},
        "length": {
            "anyOf": [{"type": "integer", "minimum": 1}, bounds],
            "description": "The length of a list of equal numbers, such as the layers of model.units.",
        },
        "when": {
            "type": "object",
            "propertyNames": {"pattern": rf"^({'|'.join(groups)})\b"},
            "description": "Other keys or groups with the values under which this key is drawn.",
        },
    }
    return {**closed(properties), "minProperties": 1}


def _general(key: str) -> str:
    """Returns the key with `*` for a name that a person chose: of a callback, an augmentation or a metric."""
    return re.sub(r"^(callbacks|augmentation|tracking|task\.metrics)\.[^.]+", r"\1.*", key)


def _hydra_keys() -> Schema:
    return {**{name: typed(hint) for name, hint in HYDRA_KEYS.items()}, "defaults": DEFAULTS}
