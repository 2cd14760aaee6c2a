"""Tests call what the package offers: how a module keeps its state is its own affair."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
FUNCTIONS = ("setattr", "getattr", "delattr")


def private_names(tree: ast.Module) -> Iterator[str]:
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    foreign = {"self", "cls"}
    for node in imports:
        ours = isinstance(node, ast.ImportFrom) and str(node.module).startswith("dltrain")
        if ours:
            yield from (alias.name for alias in node.names if is_private(alias.name))
        else:
            foreign |= {(alias.asname or alias.name).split(".")[0] for alias in node.names if alias.name != "dltrain"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and root(node) not in foreign:
            yield ast.unparse(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in FUNCTIONS:
            words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if any(is_private(word.split(".")[-1]) for word in words) and root(node.args[0]) not in foreign:
                yield ast.unparse(node)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("_")  # Hydra's _target_ is public


def root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return ast.unparse(node)


def test_no_test_reaches_into_a_module() -> None:
    found = {
        str(path.relative_to(TESTS)): names
        for path in TESTS.rglob("*.py")
        if (names := list(private_names(ast.parse(path.read_text("utf-8")))))
    }
    assert found == {}
