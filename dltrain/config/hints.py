"""Compares type hints with plain values from YAML, and describes both in words."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from dltrain.base.errors import did_you_mean


class Node:
    """The hint of a mapping with a `_target_`, from which an object is built."""


class Items:
    """The hint of a list that is not empty."""


WORDS = {
    Node: "a mapping with a _target_",
    Items: "a list of one item at least",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "text",
    list: "a list",
    type(None): "null",
    None: "null",
    Any: "anything",
}


def accepts(hint: Any, value: Any) -> bool:
    """Returns whether a value fits; an integer fits float, true and false fit only bool, a number is no text."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(accepts(each, value) for each in arguments)
    if origin is Annotated:
        return accepts(arguments[0], value)
    if origin is Literal:
        return any(value == each and type(value) is type(each) for each in arguments)
    if origin is list:
        return isinstance(value, list) and all(accepts(arguments[0], item) for item in value)
    if hint is Any:
        return True
    if hint is Node:
        return isinstance(value, dict) and "_target_" in value
    if hint is Items:
        return isinstance(value, list) and bool(value)
    if origin is dict or dataclasses.is_dataclass(hint):
        return isinstance(value, dict)
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    return isinstance(value, type(None) if hint is None else hint)


def mismatch(hint: Any, value: Any) -> str:
    """Describes a value that does not fit: what was expected, what was got, what is near."""
    words = [word for word in _literals(hint) if isinstance(word, str)]
    return f"expected {describe(hint)}, got {show(value)}.{nearest(value, words)}"


def nearest(word: object, choices: list[str]) -> str:
    """Returns `" Did you mean 'x'?"`, or an empty string if nothing is near."""
    near = did_you_mean(str(word), choices)
    return near if "Did you mean" in near else ""


def describe(hint: Any) -> str:
    """Describes a type hint in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(describe(each) for each in arguments))
    if origin is Annotated:
        return str(arguments[1])
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}" if len(arguments) > 1 else str(arguments[0])
    if origin is list:
        return "a list" if arguments[0] is Any else f"a list (each item: {describe(arguments[0])})"
    return WORDS.get(hint, "a mapping")


def show(value: Any) -> str:
    """Returns a value as in YAML, and marks text as such."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f"the text '{value}'"
    return str(value)


def _literals(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Literal:
        yield from get_args(hint)
    else:
        for each in get_args(hint):
            yield from _literals(each)
