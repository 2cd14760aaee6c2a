"""docs/course.md: each of its commands works, and each experiment of the course is in it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from dltrain.cli.main import main
from dltrain.config.compose import Composer, conf_directory
from dltrain.verbs import check

FOLDER = Path(__file__).parents[1] / "docs"
TEXT = (FOLDER / "course.md").read_text("utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```shell\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
# Not of the course.
OTHERS = {"smoke", "course_mlp", "wine_quality", "tabular", "imdb_naive_bayes"}
SMALL = ("rows=60", "trainer.epochs=1", "quiet=true", "~callbacks.tensorboard")


def words_of(command: str) -> list[str]:
    return shlex.split(command.removeprefix("dltrain "))


def experiment_of(command: str) -> str:
    return next((word.removeprefix("experiment=") for word in words_of(command) if word.startswith("experiment=")), "")


def test_each_experiment_of_the_course_is_told_with_the_command_of_its_file() -> None:
    shipped = {file.stem: file for file in (conf_directory() / "experiment").glob("*.yaml") if file.stem not in OTHERS}
    told = {experiment_of(command): command for command in COMMANDS}
    assert set(told) - {""} == set(shipped)
    for name, file in shipped.items():
        assert file.read_text("utf-8").splitlines()[2] == f"# {told[name]}"


def test_pictures_of_the_page_are_there_and_small() -> None:
    pictures = [FOLDER / name for name in re.findall(r"!\[[^]]+\]\(([^)]+)\)", TEXT)]
    assert len(pictures) > 10
    assert max(picture.stat().st_size for picture in pictures) < 250_000
    assert {picture.name for picture in pictures} == {file.name for file in (FOLDER / "course").iterdir()}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_composes(command: str) -> None:
    words = words_of(command)
    if words[0] == "check":
        assert "examples" in check.EXAMPLES
        return
    composer = Composer()
    if "-m" in words:
        composer.compose_sweep([word for word in words if word != "-m"])
    else:
        composer.compose(words)


@pytest.mark.slow
@pytest.mark.parametrize("command", [each for each in COMMANDS if experiment_of(each)])
def test_first_job_runs_at_smoke_size(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [word for word in words_of(command) if word != "-m"]
    if experiment_of(command).endswith("_search"):
        words += ["search.points=2"] if "grid" in command else ["search.jobs=2"]
    # The first value of each sweep stands for all: the others compose.
    words = [re.sub(r"=([^,\[]*),.*", r"=\1", word) for word in words]
    assert main([*[word for word in words if not word.startswith(("rows=", "callbacks."))], *SMALL]) == 0
