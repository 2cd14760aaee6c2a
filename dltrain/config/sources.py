"""Finds where a dotted name is defined by reading source files, without importing or running anything."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from dltrain.base.errors import did_you_mean

P = ParamSpec("P")
R = TypeVar("R")


class Opaque:
    """Something that no source file shows and that may exist: compiled code, names made at run time."""


OPAQUE: Final = Opaque()


@dataclass(frozen=True)
class Module:
    """A module or package; `file` is None without source, `folders` is empty without submodules."""

    name: str
    file: Path | None
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Definition:
    """A class or function with the module that its names belong to."""

    module: Module
    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Unknown:
    """A dotted name that cannot exist, and the sentence that says which part of it is wrong."""

    sentence: str


Found = Module | Definition | Opaque


def once_found(function: Callable[P, R]) -> Callable[P, R]:
    """Keeps what a function found; what is missing (None, Unknown) may come meanwhile, and is sought again."""
    kept: dict[tuple[object, ...], R] = {}

    @wraps(function)
    def sought(*arguments: P.args, **keywords: P.kwargs) -> R:
        key = (*arguments, *sorted(keywords.items()))
        found = kept[key] if key in kept else function(*arguments, **keywords)
        if found is not None and not isinstance(found, Unknown):
            kept[key] = found
        return found

    return sought


def locate(target: str) -> list[Found] | Unknown:
    """Returns what a dotted name may stand for, several if the source decides by an `if`."""
    parts = target.split(".")
    found, reached = _walk(parts)
    if found:
        return found
    if reached == 0:
        near = did_you_mean(parts[0], {each.name for each in pkgutil.iter_modules()})
        return Unknown(f"there is no module '{parts[0]}'.{near if 'Did you mean' in near else ''}")
    path, name = ".".join(parts[:reached]), parts[reached]
    return Unknown(f"'{path}' has no '{name}'.{did_you_mean(name, _public_names(_walk(parts[:reached])[0]))}")


def _walk(parts: list[str]) -> tuple[list[Found], int]:
    """Returns what a path stands for, and how many of its parts exist."""
    top = _top_module(parts[0])
    found: list[Found] = [top] if top else []
    for reached, name in enumerate(parts[1:], 1):
        if found:
            found = [member for owner in found for member in _attribute(owner, name)]
        if not found:
            return [], reached if top else 0
    return found, len(parts) if found else 0


def resolve(module: Module, expression: ast.expr) -> list[Found]:
    """Returns what an expression such as `optimizer.Optimizer` stands for at the top level of a module."""
    match expression:
        case ast.Name(id=name):
            found = _member(module, name, frozenset())
            return found or ([OPAQUE] if hasattr(builtins, name) else [])
        case ast.Attribute(value=owner, attr=name):
            return [member for each in resolve(module, owner) for member in _attribute(each, name)]
    return [OPAQUE]


@cache
def bindings(module: Module) -> dict[str, list[ast.stmt]]:
    """Returns the top-level statements that bind each name; `*` for star imports, `?` for names made at run time."""
    try:
        text = module.file.read_text("utf-8") if module.file else "__getattr__"
        body = ast.parse(text).body
    except (OSError, SyntaxError, ValueError):
        return {"?": []}
    bound: dict[str, list[ast.stmt]] = {}
    for statement in _statements(body):
        for name in _names_bound(statement):
            bound.setdefault(name, []).append(statement)
    if re.search(r"\b(__getattr__|globals\(|vars\(|sys\.modules|setattr\(|exec\()", text):
        bound["?"] = []
    return bound


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        for inner in ("body", "orelse", "handlers", "finalbody"):
            if not isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _statements(getattr(statement, inner, []))


def _names_bound(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.Import(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name for alias in aliases)
        case ast.Assign(targets=targets):
            yield from (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.For(target=ast.Name(id=name)):
            yield name


def _attribute(owner: Found, name: str) -> list[Found]:
    if isinstance(owner, Module):
        return _member(owner, name, frozenset())
    # Attributes of a class or function may be made at run time.
    return [OPAQUE]


def _member(module: Module, name: str, seen: frozenset[tuple[str, str]]) -> list[Found]:
    if (module.name, name) in seen:
        return []
    seen |= {(module.name, name)}
    bound = bindings(module)
    found = [each for node in bound.get(name, []) for each in _bound_to(module, name, node, seen)]
    if not found:
        found = [each for each in [_submodule(module, name)] if each]
    if not found:
        stars = [_imported_from(module, node) for node in bound.get("*", []) if isinstance(node, ast.ImportFrom)]
        found = [each for star in stars for each in (_member(star, name, seen) if star else [OPAQUE])]
    return found or ([OPAQUE] if "?" in bound else [])


def _bound_to(module: Module, name: str, node: ast.stmt, seen: frozenset[tuple[str, str]]) -> list[Found]:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return [Definition(module, node)]
        case ast.Import(names=aliases):
            full = next(alias.name for alias in aliases if (alias.asname or alias.name.partition(".")[0]) == name)
            aliased = any(alias.asname == name for alias in aliases)
            return _walk((full if aliased else name).split("."))[0] or [OPAQUE]
        case ast.ImportFrom(names=aliases):
            original = next(alias.name for alias in aliases if (alias.asname or alias.name) == name)
            source = _imported_from(module, node)
            return _member(source, original, seen) if source else [OPAQUE]
        case ast.Assign(value=ast.Name(id=other)):
            return _member(module, other, seen) or [OPAQUE]
        case ast.Assign(value=ast.Attribute() as value):
            return resolve(module, value)
    return [OPAQUE]


def _imported_from(module: Module, node: ast.ImportFrom) -> Module | None:
    parts = module.name.split(".")
    if node.level:
        kept = len(parts) - node.level + bool(module.folders)
        full = [*parts[:kept], *(node.module or "").split(".")]
    else:
        full = (node.module or "").split(".")
    found = _top_module(full[0])
    for part in full[1:]:
        found = _submodule(found, part) if found and part else found
    return found


@once_found
def _top_module(name: str) -> Module | None:
    try:
        spec = importlib.util.find_spec(name) if name else None
    except ValueError:  # modules made at run time have no spec
        return Module(name, None)
    if spec is None:
        return None
    folders = tuple(Path(folder) for folder in spec.submodule_search_locations or ())
    is_source = spec.origin is not None and spec.origin.endswith(".py")
    return Module(name, Path(str(spec.origin)) if is_source else None, folders)


@once_found
def _submodule(module: Module, name: str) -> Module | None:
    full = f"{module.name}.{name}"
    for folder in module.folders:
        if (folder / name).is_dir() and name != "__pycache__":
            file = folder / name / "__init__.py"
            return Module(full, file if file.exists() else None, (folder / name,))
        if (folder / f"{name}.py").exists():
            return Module(full, folder / f"{name}.py")
        if any(folder.glob(f"{name}.*.so")) or any(folder.glob(f"{name}.*pyd")):
            return Module(full, None)
    return None


def _public_names(owners: list[Found]) -> set[str]:
    modules = [owner for owner in owners if isinstance(owner, Module)]
    inside = {each.name for module in modules for each in pkgutil.iter_modules(map(str, module.folders))}
    return {name for name in inside | {n for m in modules for n in bindings(m)} if name[0].isalpha()}
