"""What the verbs are and take, read from their source: importing some of them would take seconds."""

from __future__ import annotations

import ast
import functools
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dltrain.base.plain_table import window

PACKAGE = Path(__file__).parents[1]


@dataclass
class Arguments:
    """The arguments of a verb.

    Attributes:
        positional: their names in the code, in order.
        flags: `--json` and its like, which take no value.
        options: those that do, with the values that can be chosen, if they are few.
    """

    positional: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)


def summary(entry: str) -> str:
    """One line on a verb: the first of its module's docstring.

    Args:
        entry: `module:function`, as in `dltrain.cli.main.VERBS`.
    """
    line = (ast.get_docstring(_tree(entry)) or "").partition("\n")[0]
    line = re.sub(r"^`dltrain [^`]*`: ", "", line)  # the usage, which the list of verbs shows in its own way
    return line[:1].upper() + line[1:]


def arguments(entry: str) -> Arguments:
    """The arguments that a verb's module declares with `add_argument`."""
    found = Arguments()
    for node in ast.walk(_tree(entry)):
        if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument"):
            continue
        names = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        keywords = {word.arg: word.value for word in node.keywords}
        long = [name for name in names if name.startswith("--")]
        if not long:
            found.positional += names[:1]
        elif "action" in keywords:
            found.flags += long
        else:
            found.options |= dict.fromkeys(long, _choices(keywords.get("choices")))
    return found


def listing(verbs: Mapping[str, str]) -> str:
    """All verbs with their lines, for `dltrain --help`."""
    width = max(map(len, verbs))
    indent = " " * (width + 4)
    lines = [
        textwrap.fill(f"  {verb:<{width}}  {summary(entry)}", max(60, window() or 120), subsequent_indent=indent)
        for verb, entry in sorted(verbs.items())
    ]
    return "\n".join(["Verbs (`dltrain VERB --help` has examples):", *lines])


def _choices(node: ast.expr | None) -> list[str]:
    elements = node.elts if isinstance(node, (ast.Tuple, ast.List)) else []
    return [str(each.value) for each in elements if isinstance(each, ast.Constant)]


@functools.cache
def _tree(entry: str) -> ast.Module:
    module = entry.partition(":")[0]
    file = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return ast.parse(file.read_text("utf-8") if file.is_file() else "")
