"""The house: a room imports only rooms of rows above its own, lazily or by a name in a string too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "dltrain"
ROWS = """base | pages | internals | config | data | preprocessing | models scoring engine | record | training inference
| serving exporting | experiment | tensorboard tracking | sweeps checkup surroundings | report | api | dashboard
| verbs | cli"""
ROW = {room: place for place, row in enumerate(ROWS.split("|")) for room in row.split()}


def named(tree: ast.Module) -> Iterator[str]:
    """Dotted names that a module imports, or has in a string that is one word."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'dltrain.' * bool(node.level)}{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not set(node.value) & set(" \n"):
            yield node.value.replace(":", ".")


def test_every_module_stands_in_a_room() -> None:
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} == {"__init__.py", "__main__.py", "py.typed"}
    assert {path.name for path in PACKAGE.iterdir() if any(path.rglob("*.py"))} <= {*ROW}


def test_rooms_import_only_rooms_above_them() -> None:
    faults = []
    for path in PACKAGE.glob("*/**/*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        for name in named(ast.parse(path.read_text("utf-8"))):
            other = name.split(".")[1] if name.startswith("dltrain.") else room
            if other != room and ROW.get(other, -1) >= ROW[room]:
                faults.append(f"{path.relative_to(PACKAGE)}: {name}")
    assert faults == []
