"""Every command that is shown reaches the program in bash and in zsh as it is meant."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dltrain import verbs

ROOT = Path(__file__).parents[1]
# An override that zsh takes for a pattern or a home directory, outside of quotes
BARE = re.compile(r"(?<![\w'\"`.=+~/-])(?:[+]{0,2}[a-z_]+(?:[./@][a-z_0-9]+)*=[\[{]|~[a-z_]+\.)")


def commands() -> list[str]:
    """The commands of README, docs, options and help texts, each once."""
    texts = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
    texts += [path for folder in ("docs", "conf", "dltrain/verbs/project") for path in (ROOT / folder).rglob("*.*")]
    lines = [line for path in texts if path.suffix in (".md", ".yaml") for line in path.read_text("utf-8").splitlines()]
    lines += [line for name in verbs.names() for line in verbs.verb(name).examples.splitlines()]
    found = [re.match(r"\s*(?:[#$>-] )?(?:run: )?(dltrain .*)", line) for line in lines]
    shown = [each[1].rstrip("\\").strip() for each in found if each]
    return list(dict.fromkeys(re.split(r"  #|  +[A-Za-z]|\s+#", line)[0] for line in shown if "…" not in line))


def arguments(shell: str, lines: list[str], folder: Path) -> list[list[str]]:
    """What a program gets for each of the lines."""
    program = "import json, sys; print(json.dumps(sys.argv[1:]))"
    function = f'dltrain() {{ {shlex.quote(sys.executable)} -S -c {shlex.quote(program)} "$@"; }}'
    script = folder / "script"
    script.write_text("\n".join([function, *lines]))
    done = subprocess.run([shell, script], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_commands_reach_the_program_as_they_are_meant(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    lines = [line for line in commands() if not re.search(r"[|<>&;$]", line)]
    odd = [line for line in lines if re.search(r"[\[~{]", line)]
    assert len(odd) > 10
    assert arguments(shell, odd, tmp_path) == [shlex.split(line)[1:] for line in odd]


def test_no_text_shows_an_override_that_zsh_would_change() -> None:
    assert [line for line in commands() if BARE.search(line)] == []


def test_no_message_shows_an_override_that_zsh_would_change() -> None:
    found = []
    for path in sorted((ROOT / "dltrain").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        quoting = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "quoted"
            for part in ast.walk(node)
        }
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            # A text without a space is an override that the code passes on; a message has several words.
            if " " in node.value and id(node) not in quoting | docstrings:
                found += [f"{path.name}:{node.lineno} {each}" for each in BARE.findall(node.value)]
    assert found == []
