"""Words that are neither a verb nor key=value lead to the command that was meant."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path

import pytest

from dltrain.cli import meant
from dltrain.cli.main import main
from dltrain.cli.meant import mistaken
from dltrain.internals import hydra_command

MEANT = {
    "train dataset=titanic": "dataset=titanic",
    "trian dataset=titanic": "dataset=titanic",
    "train": "dataset=titanic optimizer=adam",
    "help": "--help",
    "help resume": "resume --help",
    "version": "--version",
    "dataset titanic": "dataset=titanic",
    "dataset = titanic": "dataset=titanic",
    "dataset =titanic": "dataset=titanic",
    "dataset= titanic": "dataset=titanic",
    "--dataset titanic": "dataset=titanic",
    "--dataset=titanic": "dataset=titanic",
    "-dataset titanic": "dataset=titanic",
    "optimizer Adam": "optimizer=adam",
    "titanic": "dataset=titanic",
    "titanic adam": "dataset=titanic optimizer=adam",
    "linear": "model=linear",
    "dataset=titanic adam": "dataset=titanic optimizer=adam",
    "dataset=titanic plan": "plan dataset=titanic",
    "--epochs 5 --lr 0.1 dataset=wine": "trainer.epochs=5 optimizer.learning_rate=0.1 dataset=wine",
    "--batch-size=64": "trainer.batch_size=64",
    "--quiet dataset=wine": "quiet=true dataset=wine",
    "houses.csv": "dataset=csv dataset.path=houses.csv dataset.target=COLUMN",
    "--dataset houses.csv": "dataset=csv dataset.path=houses.csv dataset.target=COLUMN",
    "model.units=[128, 64]": "'model.units=[128,64]'",
    "dataset=csv dataset.path=my file.csv dataset.target=y": "dataset=csv 'dataset.path=my file.csv' dataset.target=y",
    "resme a": "resume a",
    "list": "runs",
    "sweep optimizer=adam,sgd": "-m optimizer=adam,sgd",
    "--multirn optimizer=adam,sgd": "--multirun optimizer=adam,sgd",
    "--cfg job titanic": "--cfg job dataset=titanic",
}


@pytest.mark.parametrize(("typed", "expected"), MEANT.items())
def test_command_that_was_meant(typed: str, expected: str) -> None:
    told = mistaken(typed.split())
    assert told
    assert shlex.split(told.partition("Did you mean ")[2].removesuffix("?")) == ["dltrain", *shlex.split(expected)]


@pytest.mark.parametrize("typed", [["foo"], ["--foo"], [""], ["="], ["-"], ["seed=1", "foo"], ["-x", "seed=1"]])
def test_where_nothing_can_be_known_the_help_is_named(typed: list[str]) -> None:
    told = mistaken(typed)
    assert told
    assert "`dltrain --help`" in told


@pytest.mark.parametrize(
    "typed",
    [
        "seed=1",
        "-m seed=1,2 ~callbacks.tensorboard +tracking.x=1 ++a=2",
        "--cfg job -p optimizer",
        "--config-dir my_conf model=wide",
        "--config-dir=my_conf -cn other",
        "--info defaults --multi",
        "",
    ],
)
def test_what_is_right_is_left_alone(typed: str) -> None:
    assert mistaken(typed.split()) is None


def ends_with(parser: argparse.ArgumentParser, flag: str) -> object:
    try:
        parser.parse_known_args([flag])
    except SystemExit as ended:
        return ended.code
    return None


def test_every_flag_of_hydra_is_known() -> None:
    parser = hydra_command.parser()
    shown = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", parser.format_usage()))
    flags = shown | {*meant.VALUED, *meant.BARE}
    optional = {"--info", "-i"}  # the value may be missing
    valued = {flag for flag in flags if flag in optional or ends_with(parser, flag) == 2}
    bare = flags - valued
    assert (set(meant.VALUED), set(meant.BARE)) == (valued, bare)


def test_nothing_typed_says_what_can_be_done_and_trains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("COLUMNS", "80")
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: dltrain ")
    assert max(map(len, shown.splitlines())) <= 80
    assert "shrink" not in shown
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == shown
    assert list(tmp_path.iterdir()) == []
