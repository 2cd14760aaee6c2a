"""A verb is added with one file: in a copy of the package it works at once, wherever verbs are told of."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dltrain
from dltrain.config.compose import conf_directory

GREET = '''\
"""Greets."""

import argparse

from dltrain.verbs import Verb, argument


def _run(given: argparse.Namespace) -> int:
    print(f"{given.word}, {given.run}")
    return 3


VERB = Verb(
    name="greet",
    summary="Greets a run in a word of your choice.",
    description="Says a word to a run.",
    examples="examples:\\n  dltrain greet outputs/day/a --word hello",
    arguments=(
        argument("run", metavar="RUN", help="whom"),
        argument("--word", choices=("hello", "hi"), default="hello", help="what is said"),
        argument("--json", action="store_true", help="as JSON"),
    ),
    function=_run,
)
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package that has one verb more, and with a run."""
    folder = tmp_path_factory.mktemp("copy")
    (package,) = dltrain.__path__
    shutil.copytree(package, folder / "dltrain", ignore=shutil.ignore_patterns("__pycache__", "conf"))
    shutil.copytree(conf_directory(), folder / "conf")
    (folder / "dltrain" / "verbs" / "greet.py").write_text(GREET)
    (folder / "outputs" / "day" / "a").mkdir(parents=True)
    (folder / "outputs" / "day" / "a" / "run.json").touch()
    return folder


def run(copy: Path, *words: str, line: str = "") -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(copy), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths, "COLUMNS": "80"} | ({"COMP_LINE": line} if line else {})
    command = [sys.executable, "-m", "dltrain", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=copy)


def test_it_runs(copy: Path) -> None:
    done = run(copy, "greet", "outputs/day/a", "--word", "hi")
    assert (done.returncode, done.stdout) == (3, "hi, outputs/day/a\n")
    wrong = run(copy, "greet", "a", "--word", "bye")
    assert wrong.returncode == 2
    assert "--word: expected one of hello, hi, got 'bye'" in wrong.stderr
    assert "Did you mean dltrain greet?" in run(copy, "gret").stderr


def test_it_explains_itself(copy: Path) -> None:
    shown = run(copy, "greet", "--help").stdout
    assert shown.startswith("usage: dltrain greet [-h] [--word {hello,hi}] [--json] RUN\n\nSays a word to a run.\n")
    assert shown.endswith("examples:\n  dltrain greet outputs/day/a --word hello\n")


def test_it_is_listed(copy: Path) -> None:
    line = "\n  greet      Greets a run in a word of your choice.\n"
    assert line in run(copy, "--help").stdout


@pytest.mark.parametrize(
    ("typed", "words"),
    [("gre", "greet"), ("greet out", "outputs/day/a"), ("greet --wo", "--word"), ("greet a --word h", "hello hi")],
)
def test_it_is_completed(copy: Path, typed: str, words: str) -> None:
    assert run(copy, "-sc", "query=bash", line=f"dltrain {typed}").stdout.split() == words.split()
