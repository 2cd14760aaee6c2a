"""Outside of dltrain/internals nothing reaches for what a library keeps to itself, and nothing patches a library."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INTERNALS = ROOT / "dltrain" / "internals"
FILES = [
    path
    for folder in ("dltrain", "hydra_plugins")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if INTERNALS not in path.parents
]
PRIVATE_PACKAGE = re.compile(
    r"(keras\.src|tensorflow\.python|tensorflow\.compiler)\b|[a-z]\w*(\.\w+)*\._[a-z]\w*(\.\w+)+$"
)
LIBRARIES = ("hydra", "keras", "omegaconf", "optuna", "tensorflow")
BY_NAME = ("getattr", "hasattr", "setattr", "delattr")


def test_nothing_but_internals_reaches_for_private_names() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line}: {what}" for path in FILES for line, what in faults_of(path.read_text())
    ]
    assert not faults, "Move them to dltrain/internals, with the reason and a line in NAMES:\n" + "\n".join(faults)


def test_no_class_overrides_what_a_library_keeps_to_itself() -> None:
    faults = []
    for path in FILES:
        tree = ast.parse(path.read_text())
        private = classes_of(tree)
        libraries = [path for _, path, _ in imports_of(tree) if in_library(path)]
        for node in ast.walk(tree) if libraries else ():
            if isinstance(node, ast.ClassDef) and node.bases and private[node.name]:
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                for base in getattr(importlib.import_module(module), node.name).__mro__:
                    if in_library(base.__module__):
                        both = private[node.name] & names_of(base)
                        faults += [f"{module}.{node.name}: {name} is {base.__name__}'s" for name in both]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "text",
    [
        "from keras.src.ops import function",
        "import tensorflow.python.eager",
        "from hydra._internal.hydra import Hydra",
        "from optuna import _imports",
        "import keras\nkeras.src.tree.flatten([])",
        "def f(x):\n    return x._flatten_layers()",
        "def f(x):\n    return getattr(x, '_direction', None)",
        "def f(x):\n    x._apply_weight_decay = None",
        "class A:\n    def f(self):\n        return self._parse_config()",
        "class A:\n    def f(self):\n        super()._load()",
        "import tensorflow as tf\ntf.random.set_seed = None",
        "from keras import Model\nModel.fit = None",
        "TARGET = 'hydra._internal.core_plugins.basic_sweeper.BasicSweeper'",
        "TARGET = 'tensorflow.python.eager.context'",
    ],
)
def test_it_is_noticed(text: str) -> None:
    assert list(faults_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    def f(self, other):\n        self._size = 1\n        return other._size",
        "import os\nos._exit(1)",
        "from dltrain.engine import step\nstep.x = 1",
        "def f(node):\n    return node['model._target_'], node.__class__",
        "WORDS = 'model._target_'",
    ],
)
def test_own_names_are_fine(text: str) -> None:
    assert not list(faults_of(text))


def faults_of(text: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(text)
    own = {name for private in classes_of(tree).values() for name in private}
    imports = imports_of(tree)
    foreign = {name for _, path, name in imports if is_foreign(path)}
    standard = {name for _, path, name in imports if path.split(".")[0] in sys.stdlib_module_names}
    for line, path, _ in imports:
        if is_foreign(path) and (PRIVATE_PACKAGE.match(path) or any(map(is_private, path.split(".")))):
            yield line, path
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            of_standard = isinstance(node.value, ast.Name) and node.value.id in standard  # such as os._exit
            path = ast.unparse(node)
            if is_private(node.attr) and node.attr not in own and not of_standard:
                yield node.lineno, path
            elif root_of(node) in foreign and isinstance(node.ctx, ast.Store):
                yield node.lineno, f"{path} is patched"
            elif root_of(node) in foreign and re.fullmatch(r"keras\.src|(tf|tensorflow)\.python", path):
                yield node.lineno, path
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BY_NAME:
            name = node.args[1].value if isinstance(node.args[1], ast.Constant) else ""
            if is_private(str(name)) and name not in own:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Constant) and PRIVATE_PACKAGE.match(str(node.value)) and in_library(str(node.value)):
            yield node.lineno, str(node.value)


def classes_of(tree: ast.Module) -> dict[str, set[str]]:
    """The private names that each class of a module defines, and under '' those that the module does."""
    found = {"": {name for node in tree.body for name in defined(node)}}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            names = {name for each in node.body for name in defined(each)}
            names |= {
                each.attr
                for each in ast.walk(node)
                if isinstance(each, ast.Attribute)
                and isinstance(each.ctx, ast.Store)
                and root_of(each) in ("self", "made")
            }
            found[node.name] = {name for name in names if is_private(name)}
    return found


def defined(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]


def names_of(base: type) -> set[str]:
    """What the methods of a class name, and what it has."""
    methods = [inspect.unwrap(each) for each in vars(base).values() if inspect.isfunction(each)]
    return {name for each in methods for name in each.__code__.co_names} | set(vars(base))


def imports_of(tree: ast.Module) -> list[tuple[int, str, str]]:
    """Line, path and name of everything that is imported."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            place = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            for each in node.names:
                found.append((node.lineno, place + each.name, each.asname or each.name.split(".")[0]))
    return found


def is_foreign(path: str) -> bool:
    first = path.split(".")[0]
    return first not in ("dltrain", "hydra_plugins", "__future__") and first not in sys.stdlib_module_names


def in_library(path: str) -> bool:
    return path.split(".")[0] in LIBRARIES


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def root_of(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
