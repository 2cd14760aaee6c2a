"""Every private name that dltrain reaches for: it is there, it stands in a table, and every table is used."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import dltrain.internals
from dltrain.internals.private_names import is_there

FOLDER = Path(dltrain.internals.__file__).parent
LIBRARIES = ("hydra", "keras", "omegaconf", "optuna", "tensorflow")
NAMES = {
    path.stem: getattr(importlib.import_module(f"dltrain.internals.{path.stem}"), "NAMES", ())
    for path in sorted(FOLDER.glob("*.py"))
}


@pytest.mark.parametrize("name", sorted({name for names in NAMES.values() for name in names}))
def test_the_installed_libraries_have(name: str) -> None:
    assert is_there(name)


@pytest.mark.parametrize("name", ["keras.Layer._gone", "keras.src.gone.thing", "keras.gone", "gone.thing"])
def test_what_is_not_there_is_told(name: str) -> None:
    assert not is_there(name)


@pytest.mark.parametrize("module", [name for name in NAMES if name not in ("__init__", "fast_path", "private_names")])
def test_the_table_has_what_the_module_uses_and_nothing_else(module: str) -> None:
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    own = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    own |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_self(node.value)}
    listed = {name.rpartition(".")[2]: name for name in NAMES[module]}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = [
        (node.module, each.name) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for each in node.names
    ]
    used |= {name for _, name in imported}
    inherited = {each.name for node in tree.body if isinstance(node, ast.ClassDef) for each in _methods(node)}
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert set(listed) <= used | inherited | strings, "stands in the table and is not used"
    private = {name for name in used | inherited if name.startswith("_") and not name.startswith("__")} - own
    assert private <= set(listed), "is used and does not stand in the table"
    for place, name in imported:
        if place and _is_private(place) and not any(each.startswith(f"{place}.{name}.") for each in NAMES[module]):
            assert f"{place}.{name}" in NAMES[module], "is imported and does not stand in the table"


def _methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    return [each for each in node.body if isinstance(each, ast.FunctionDef)] if node.bases else []


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _is_private(module: str) -> bool:
    first, *rest = module.split(".")
    return first in LIBRARIES and (any(part.startswith("_") for part in rest) or rest[:1] in (["src"], ["python"]))
