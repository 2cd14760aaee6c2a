"""Writes the parts of a JSON Schema: types, ranges and closed objects."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from dltrain.config.hints import Items, Node
from dltrain.config.ranges import PATTERNS

Schema = dict[str, Any]

TYPES = {int: "integer", float: "number", bool: "boolean", str: "string", list: "array", dict: "object"}
KEYWORDS = {"minimum": "minimum", "maximum": "maximum", "above": "exclusiveMinimum", "below": "exclusiveMaximum"}


def alternatives(hint: Any) -> tuple[Any, ...]:
    """Returns the members of a union, or the hint alone."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def typed(hint: Any) -> Schema:
    """Describes a type hint; an empty schema takes anything."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        several = [typed(each) for each in arguments]
        return {} if {} in several else {"anyOf": several}
    if origin is Annotated:
        return typed(arguments[0])
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": typed(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": typed(arguments[1]) or True}
    if hint is Node:
        return {"type": "object", "required": ["_target_"]}
    if hint is Items:
        return {"type": "array", "minItems": 1}
    if hint in (None, type(None)):
        return {"type": "null"}
    return {"type": TYPES[hint]} if hint in TYPES else {}


def limits(key: str) -> Schema:
    """Returns the range of a key's numbers."""
    name = key.replace("*", "any")
    limits = next((limits for pattern, limits in PATTERNS if pattern.fullmatch(name)), None)
    return {} if limits is None else {KEYWORDS[bound]: value for bound, value in limits.bounds.items()}


def closed(properties: Schema, *, is_open: bool = False) -> Schema:
    """Describes an object that has these properties and, unless it is open, no others."""
    return {"type": "object", "properties": properties, "additionalProperties": is_open}


def reference(name: str) -> Schema:
    """Refers to a definition of the document."""
    return {"$ref": f"#/definitions/{name}"}


def described(schema: Schema, text: str) -> Schema:
    """Adds a description unless it is empty."""
    return {**schema, "description": text} if text else schema
