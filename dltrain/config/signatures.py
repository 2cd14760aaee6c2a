"""Reads from source what a `_target_` accepts, without importing or running anything.

Where the source does not settle a question (compiled code, names made at run time), the answer is "open": a check may
then miss a fault, but never invents one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dltrain.config.annotations import COMPUTED, REQUIRED, annotated, last_name, literal
from dltrain.config.sources import Definition, Module, Unknown, locate, once_found, resolve

# Decorators that do not change the arguments.
TRANSPARENT = {
    "abstractmethod", "cache", "contextmanager", "dataclass", "final", "keras_export", "lru_cache",
    "no_automatic_dependency_tracking", "override", "register_keras_serializable", "runtime_checkable",
    "total_ordering",
}  # fmt: skip


@dataclass(frozen=True)
class TargetSignature:
    """The arguments of a class or a function."""

    # Each name with its default, `REQUIRED`, or `COMPUTED` if the default is no literal
    parameters: Mapping[str, Any] = field(default_factory=dict)
    # The type of each argument whose annotation consists of plain types; others may be anything
    hints: Mapping[str, Any] = field(default_factory=dict)
    open: bool = True  # whether it may take further arguments
    is_class: bool = False

    @property
    def required(self) -> frozenset[str]:
        """The arguments without a default."""
        return frozenset(name for name, default in self.parameters.items() if default is REQUIRED)


@once_found
def signature(target: str) -> TargetSignature | Unknown:
    """Returns the signature of a dotted path such as `keras.optimizers.Adam`; methods of classes are open."""
    found = locate(target)
    if isinstance(found, Unknown):
        return found
    match found[0]:
        case Module():
            return Unknown(f"'{target}' is a module; a class or a function of it was expected.")
        case Definition(node=ast.ClassDef()) as definition:
            return _of_class(definition, ()) or TargetSignature(open=False, is_class=True)
        case Definition(module, ast.FunctionDef() | ast.AsyncFunctionDef() as node) if _transparent(node):
            return _of_arguments(module, node.args, skip=0, is_open=node.args.kwarg is not None)
    return TargetSignature()


def _of_class(definition: Definition, seen: tuple[Definition, ...]) -> TargetSignature | None:
    """Returns the signature of a class, or None if neither it nor a base has its own initializer."""
    module, node = definition.module, definition.node
    assert isinstance(node, ast.ClassDef)
    metaclasses = [keyword.value for keyword in node.keywords if keyword.arg == "metaclass"]
    if definition in seen or not _transparent(node) or any(last_name(m) != "ABCMeta" for m in metaclasses):
        return TargetSignature(is_class=True)
    bases = [_of_base(module, base, (*seen, definition)) for base in node.bases]
    inherited = [base for base in bases if base is not None]
    if any(last_name(decorator) == "dataclass" for decorator in node.decorator_list):
        return _union([_of_fields(module, node), *inherited], is_open=any(base.open for base in inherited))
    methods = {child.name: child for child in node.body if isinstance(child, ast.FunctionDef)}
    method = methods.get("__init__") or methods.get("__new__")
    if method is None:
        return inherited[0] if inherited else None
    if method.name == "__new__" and method.args.kwarg:
        return inherited[0] if inherited else TargetSignature(is_class=True)
    if not _transparent(method):
        return TargetSignature(is_class=True)
    own = _of_arguments(module, method.args, skip=1, is_open=False)
    if method.args.kwarg is None:
        return _union([own], is_open=False)
    rest = method.args.kwarg.arg
    taken = TargetSignature(dict.fromkeys(_taken_from(method, rest), COMPUTED))
    if _hands_up(method, rest):
        return _union([own, taken, *(_optional(base) for base in inherited)], any(base.open for base in inherited))
    return _union([own, taken], is_open=not _refuses(method, rest))


def _of_base(module: Module, base: ast.expr, seen: tuple[Definition, ...]) -> TargetSignature | None:
    in_keras = module.name.startswith("keras.")
    # Keras' backend classes take no argument that a config could give.
    if in_keras and last_name(base).startswith("Backend"):
        return None
    found = resolve(module, base.value if isinstance(base, ast.Subscript) else base)
    if in_keras:
        found = [each for each in found if isinstance(each, Definition) and each.module.name.startswith("keras.")]
    elif not found or any(not isinstance(each, Definition) for each in found):
        return None if last_name(base) == "object" else TargetSignature(is_class=True)
    several = [_of_class(each, seen) for each in found if isinstance(each, Definition) and each not in seen]
    known = [each for each in several if each is not None]
    return _union(known, is_open=any(each.open for each in known)) if known else None


def _of_arguments(module: Module, arguments: ast.arguments, *, skip: int, is_open: bool) -> TargetSignature:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    pairs = [*zip(positional, [*defaults, *arguments.defaults], strict=True)][skip:]
    pairs = [pair for pair in pairs if pair[0] not in arguments.posonlyargs]
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    hints = {each.arg: annotated(module, each.annotation) for each, _ in pairs}
    parameters = {each.arg: REQUIRED if default is None else literal(default) for each, default in pairs}
    return TargetSignature(parameters, {name: hint for name, hint in hints.items() if hint is not Any}, is_open)


def _of_fields(module: Module, node: ast.ClassDef) -> TargetSignature:
    parameters: dict[str, Any] = {}
    hints: dict[str, Any] = {}
    for child in node.body:
        if not isinstance(child, ast.AnnAssign) or not isinstance(child.target, ast.Name):
            continue
        keywords = child.value.keywords if isinstance(child.value, ast.Call) else []
        if "ClassVar" in ast.unparse(child.annotation) or any(
            keyword.arg == "init" and literal(keyword.value) is False for keyword in keywords
        ):
            continue
        is_required = child.value is None or (
            isinstance(child.value, ast.Call)
            and last_name(child.value) == "field"
            and not any(keyword.arg in ("default", "default_factory") for keyword in keywords)
        )
        parameters[child.target.id] = REQUIRED if is_required else literal(child.value)
        hints[child.target.id] = annotated(module, child.annotation)
    return TargetSignature(parameters, {name: hint for name, hint in hints.items() if hint is not Any}, open=False)


def _union(signatures: list[TargetSignature], is_open: bool) -> TargetSignature:
    """Joins all arguments; the first signature that has a name decides its default and type."""
    parameters = {name: default for each in reversed(signatures) for name, default in each.parameters.items()}
    hints = {name: hint for each in reversed(signatures) for name, hint in each.hints.items()}
    own = signatures[0].parameters if signatures else {}
    hints = {name: hint for name, hint in hints.items() if name not in own or name in signatures[0].hints}
    return TargetSignature(parameters, hints, is_open, is_class=True)


def _optional(signature: TargetSignature) -> TargetSignature:
    """Returns the signature without required arguments, since a derived class may supply them itself."""
    parameters = {n: COMPUTED if default is REQUIRED else default for n, default in signature.parameters.items()}
    return TargetSignature(parameters, signature.hints, signature.open, signature.is_class)


def _taken_from(method: ast.FunctionDef, rest: str) -> Iterator[str]:
    """Yields the names that a method looks up in its `**rest`."""
    for node in ast.walk(method):
        match node:
            case (
                ast.Call(func=ast.Attribute(value=ast.Name(id=owner)), args=[ast.Constant(value=str(name)), *_])
                | ast.Subscript(value=ast.Name(id=owner), slice=ast.Constant(value=str(name)))
                | ast.Compare(left=ast.Constant(value=str(name)), comparators=[ast.Name(id=owner)])
            ) if owner == rest:
                yield name


def _hands_up(method: ast.FunctionDef, rest: str) -> bool:
    """Returns whether `**rest` is passed to the initializer of a base."""
    return any(
        isinstance(node, ast.Call)
        and last_name(node.func) == "__init__"
        and any(keyword.arg is None and last_name(keyword.value) == rest for keyword in node.keywords)
        for node in ast.walk(method)
    )


def _refuses(method: ast.FunctionDef, rest: str) -> bool:
    """Returns whether `**rest` may hold no other names: the method raises an error or ignores them."""
    if not any(isinstance(node, ast.Name) and node.id == rest for node in ast.walk(method)):
        return True
    return any(
        isinstance(node, ast.If)
        and last_name(node.test) == rest
        and any(isinstance(child, ast.Raise) for child in node.body)
        for node in ast.walk(method)
    )


def _transparent(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return all(last_name(decorator) in TRANSPARENT for decorator in node.decorator_list)
