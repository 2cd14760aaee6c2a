"""Checks a composed config against the schema and the signatures of its targets."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dltrain.base.errors import did_you_mean
from dltrain.base.shell_words import quoted
from dltrain.config.hints import Items, Node, accepts, describe, mismatch, nearest, show
from dltrain.config.plain_words import sentence
from dltrain.config.signatures import TargetSignature, signature
from dltrain.config.sources import Unknown

# Hydra's own keys of a node with a `_target_`.
HYDRA_KEYS: dict[str, Any] = {
    "_target_": str,
    "_partial_": bool,
    "_recursive_": bool,
    "_convert_": Literal["none", "partial", "object", "all"],
    "_args_": list,
}
# Gets a key that does not exist and the valid names in its place, and returns the end of the sentence.
Near = Callable[[str, Iterable[str]], str]
# Arguments of Keras that take null though their default is a number or a text.
NULLABLE = ("axis", "rms_rate", "kernel_initializer", "bias_initializer", "activation")
BOUNDS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minimum": (lambda value, bound: value >= bound, "of at least"),
    "maximum": (lambda value, bound: value <= bound, "of at most"),
    "above": (lambda value, bound: value > bound, "above"),
    "below": (lambda value, bound: value < bound, "below"),
}


def _near(key: str, siblings: Iterable[str]) -> str:
    return did_you_mean(key.rpartition(".")[2], siblings)


def faults(config: DictConfig, schema: type, near: Near = _near) -> list[str]:
    """Returns a sentence for each fault of a config, without its `hydra` node.

    `schema` is a dataclass. The metadata of its fields may be `choices`, `minimum`, `maximum`, `above` and `below`, and
    `offered`: arguments that a target gets in addition to those in the config. `near` gets a key that does not exist
    and the names that are valid in its place, and returns the end of the sentence.
    """
    return list(_mapping(config, schema, "", {}, near))


def _mapping(node: DictConfig, hint: Any, key: str, metadata: Mapping[str, Any], near: Near) -> Iterator[str]:
    """Yields the faults of a mapping and of all below it."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        fields = {field.name: field for field in dataclasses.fields(hint)}
        hints = get_type_hints(hint)
        yield from _unlike_fields(node, fields, key, near)
        names = [name for name in map(str, node) if name in fields]
    else:
        fields = {}
        names = list(map(str, node))
        hints = dict.fromkeys(names, get_args(hint)[1]) if get_origin(hint) is dict else {}
        if isinstance(target := look_up(node, "_target_"), str):
            found = signature(target)
            if isinstance(found, Unknown):
                yield f"{_join(key, '_target_')}: {found.sentence}"
            else:
                offered = metadata.get("offered", ())
                yield from _unlike_signature(node, target, found, key, offered, near)
                # Of a person's own code an argument may take null though its annotation or default does not say so.
                shipped = target.startswith(("dltrain.", "keras."))
                nullable = {*offered, *NULLABLE} if shipped else set(found.parameters)
                hints = {name: hint_of(found, name, nullable=name in nullable) for name in found.parameters}
        if "_target_" in node:
            hints |= HYDRA_KEYS
    for name in names:
        # The metadata of a mapping of nodes holds for each of its nodes.
        inner = fields[name].metadata if name in fields else metadata if get_origin(hint) is dict else {}
        yield from _entry(node, name, hints.get(name, Any), _join(key, name), inner, near)


def _entry(
    node: DictConfig | ListConfig, name: str | int, hint: Any, key: str, metadata: Mapping[str, Any], near: Near
) -> Iterator[str]:
    """Yields the faults of one value and of all below it."""
    if OmegaConf.is_missing(node, name):
        yield _missing(key)
        return
    try:
        value = node[name]  # type: ignore[index]
    except OmegaConfBaseException as error:
        text = str(OmegaConf.to_container(node, resolve=False)[name])  # type: ignore[index]
        if not _decided_later(node, text):
            yield f"{key}: {text} cannot be resolved: {sentence(error)}."
        return
    plain = _plain(value)
    several = isinstance(value, ListConfig)
    # Bounds hold for the items of a list; where only the metadata says what is valid, there is no list.
    broken = [] if several and hint is not Any else list(_out_of_bounds(value, hint, key, metadata))
    if broken:
        yield from broken
    elif not accepts(hint, plain):
        whole = (
            f" Did you mean {quoted(f'{key}=[{plain}]')}?"
            if describe(hint).startswith("a list") and accepts(hint, [plain])
            else ""
        )
        # A key below a misspelt node makes a mapping of its own.
        whole = whole or (near(key, map(str, node)) if isinstance(plain, dict) else "")
        yield f"{key}: {mismatch(hint, plain)}{whole}"
    elif isinstance(value, DictConfig):
        yield from _mapping(value, _of_mapping(hint), key, metadata, near)
    elif several:
        for position in range(len(value)):
            yield from _entry(value, position, _of_item(hint), f"{key}[{position}]", metadata, near)


def _out_of_bounds(value: Any, hint: Any, key: str, metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yields a fault against `choices`, which bind values of their type, or bounds, which bind numbers."""
    choices = metadata.get("choices", ())
    bounds = {name: bound for name, bound in metadata.items() if name in BOUNDS}
    alike = [choice for choice in choices if type(choice) is type(value)]
    if not (choices or bounds) or value in alike:
        return
    whole = all(isinstance(bound, int) for bound in bounds.values()) if hint is Any else not accepts(hint, 0.5)
    number = int if whole else float
    if bounds and accepts(number, value):
        fits = all(BOUNDS[name][0](value, bound) for name, bound in bounds.items())
    else:
        # If the schema says Any, only the metadata tells what is valid.
        fits = hint is not Any and not alike
    if fits:
        return
    limits = " and ".join(f"{BOUNDS[name][1]} {bound}" for name, bound in bounds.items())
    words = [
        f"one of {', '.join(map(str, choices))}" if len(choices) > 1 else "".join(choices),
        f"{describe(number)} {limits}" if bounds else "",
        "null" if hint is not Any and accepts(hint, None) else "",
    ]
    close = nearest(value, [each for each in choices if isinstance(value, str)])
    yield f"{key}: expected {' or '.join(filter(None, words))}, got {show(_plain(value))}.{close}"


def _unlike_fields(
    node: DictConfig, fields: Mapping[str, dataclasses.Field[Any]], key: str, near: Near
) -> Iterator[str]:
    for name in map(str, node):
        if name not in fields and (key, name) != ("", "hydra"):
            yield f"{_join(key, name)}: there is no such key.{near(_join(key, name), fields)}"
    if look_up(node, "name") == "auto":
        return  # the data decides about the other keys
    given = set(map(str, node))
    for name, field in fields.items():
        bare = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if name not in given and (bare or field.default == "???"):
            yield _missing(_join(key, name))


def _unlike_signature(
    node: DictConfig, target: str, found: TargetSignature, key: str, offered: tuple[str, ...], near: Near
) -> Iterator[str]:
    given = set(map(str, node))
    if not found.open:
        for name in sorted(given - set(found.parameters) - set(HYDRA_KEYS)):
            meant = near(_join(key, name), found.parameters)
            yield f"{_join(key, name)}: {target} has no argument '{name}'.{meant}"
    # Functions and dltrain's own classes get further arguments when they are called.
    if found.is_class and not target.startswith("dltrain.") and not look_up(node, "_partial_"):
        for name in sorted(found.required - given - set(offered)) if "_args_" not in given else []:
            yield f"{_join(key, name)}: {target} needs this argument. Give one with +{_join(key, name)}=…"


def hint_of(found: TargetSignature, name: str, *, nullable: bool = True) -> Any:
    """Returns the annotated type, else the type of the default; a node always fits, and null if `nullable`."""
    hint: Any = Any
    words = ""
    if name in found.hints:
        hint, words = found.hints[name], describe(found.hints[name])
    else:
        match found.parameters[name]:
            case bool():
                hint, words = bool | Literal[0, 1] | Items, "true or false"
            case int() | float():
                hint, words = float | Items, "a number"
            case str():
                hint, words = str | int | Items, "text"
    if hint is Any:
        return Any
    return Annotated[hint | Node | None if nullable else hint | Node, words]


def _of_mapping(hint: Any) -> Any:
    """Returns the part of a hint that says what a mapping holds."""
    several = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else [hint]
    return next((each for each in several if dataclasses.is_dataclass(each) or get_origin(each) is dict), Any)


def _of_item(hint: Any) -> Any:
    """Returns the part of a hint that says what a list holds."""
    several = get_args(hint) if get_origin(hint) in (Union, types.UnionType, Annotated) else [hint]
    return next((get_args(each)[0] for each in several if get_origin(each) is list), Any)


def _missing(key: str) -> str:
    return f"{key}: expected a value, got none. Give one with {key}=…"


def _decided_later(node: DictConfig | ListConfig, text: str) -> bool:
    """Returns whether an interpolation refers to a node that the data will fill in."""
    parents = [name.rpartition(".")[0] for name in re.findall(r"\$\{([\w.]+)\}", text)]
    # Interpolations start at the root, which is not known here, so that OmegaConf resolves them.
    names = OmegaConf.create([f"${{{parent}.name}}" for parent in parents if parent], parent=node)
    return any(look_up(names, f"[{place}]") == "auto" for place in range(len(names)))


def look_up(node: Any, key: str) -> Any:
    """Returns the value of a dotted key, or None if it is absent, missing or cannot be resolved."""
    try:
        return OmegaConf.select(node, key, throw_on_missing=False)
    except OmegaConfBaseException:
        return None


def _plain(value: Any) -> Any:
    if not OmegaConf.is_config(value):
        return value
    try:
        return OmegaConf.to_container(value, resolve=True)
    except OmegaConfBaseException:
        return OmegaConf.to_container(value, resolve=False)


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
