"""Reads defaults and types from source code."""

from __future__ import annotations

import ast
from types import GenericAlias
from typing import Any, Final, Literal, Optional, Union

from dltrain.config.sources import Module, bindings


class Mark:
    """A value that no source can spell."""


REQUIRED: Final = Mark()
COMPUTED: Final = Mark()

# YAML has one kind of sequence and one kind of mapping.
HINTS: dict[str, Any] = {
    "int": int, "float": float, "bool": bool, "str": str, "None": type(None), "list": list, "List": list,
    "Sequence": list, "Iterable": list, "Collection": list, "tuple": list, "Tuple": list, "dict": dict,
    "Dict": dict, "Mapping": dict,
}  # fmt: skip


def annotated(module: Module, node: ast.expr | None, depth: int = 0) -> Any:
    """Returns an annotation as a type, or Any if it holds something other than plain types and names for these."""
    match node:
        case ast.Constant(value=None):
            return type(None)
        case ast.Constant(value=str(text)) if depth < 5:
            try:
                return annotated(module, ast.parse(text, mode="eval").body, depth + 1)
            except SyntaxError:
                return Any
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return Union[annotated(module, left, depth), annotated(module, right, depth)]  # noqa: UP007
        case ast.Subscript(value=owner, slice=inner):
            items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            match last_name(owner):
                case "Literal":
                    values = tuple(literal(item) for item in items)
                    return Any if COMPUTED in values else Literal[values]
                case "Optional":
                    return Optional[annotated(module, items[0], depth)]  # noqa: UP045
                case "Union":
                    return Union[tuple(annotated(module, item, depth) for item in items)]  # noqa: UP007
                case name if HINTS.get(name) is list:
                    is_tuple = name in ("tuple", "Tuple")
                    return list if is_tuple else GenericAlias(list, (annotated(module, items[0], depth),))
                case name if HINTS.get(name) is dict:
                    return dict
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in HINTS:
            return HINTS[name]
        case ast.Name(id=name) if depth < 5:
            match bindings(module).get(name):
                case [ast.Assign(value=value)] | [ast.AnnAssign(value=value)]:
                    return annotated(module, value, depth + 1)
    return Any


def literal(node: ast.expr | None) -> Any:
    """Returns the value of a literal, or `COMPUTED`."""
    try:
        return COMPUTED if node is None else ast.literal_eval(node)
    except (ValueError, TypeError):
        return COMPUTED


def last_name(node: ast.expr) -> str:
    """Returns `C` of `a.b.C`, `C(x)` and `C[x]`; an empty string for anything else."""
    match node:
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return last_name(inner)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
