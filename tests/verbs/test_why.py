from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from dltrain.cli.main import main
from dltrain.config.compose import conf_directory


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)


def chain(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, list[tuple[str, object]]]:
    """The value, and each source with what it says."""
    assert main(["why", *words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    return answer["value"], [(link["source"], link["value"]) for link in answer["chain"]]


def test_file_experiment_and_command_line_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert chain(capsys, "model.units", "experiment=course_mlp", "model.units=[3]") == (
        [3],
        [("conf/model/mlp.yaml", [128, 128]), ("conf/experiment/course_mlp.yaml", [50]), ("command line", [3])],
    )


def test_lines_are_those_of_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    for key, name in (("optimizer.learning_rate", "learning_rate"), ("callbacks.early_stopping", "early_stopping")):
        assert main(["why", key, "--json"]) == 0
        (link,) = json.loads(capsys.readouterr().out)["chain"]
        line = (conf_directory().parent / link["source"]).read_text().splitlines()[link["line"] - 1]
        assert line.strip().startswith(f"{name}:")


@pytest.mark.parametrize(
    ("words", "value", "sources"),
    [
        (["optimizer"], "adam", ["conf/config.yaml"]),
        (["optimizer", "optimizer=sgd"], "sgd", ["conf/config.yaml", "command line"]),
        (["regularizer", "experiment=course_mlp"], "course", ["conf/config.yaml", "conf/experiment/course_mlp.yaml"]),
        (["task"], "binary", ["conf/config.yaml", "conf/dataset/titanic.yaml"]),
        (["task", "task=multiclass"], "multiclass", ["conf/config.yaml", "conf/dataset/titanic.yaml", "command line"]),
        (
            ["callbacks", "callbacks=[default,reduce_on_plateau]"],
            ["default", "reduce_on_plateau"],
            ["conf/config.yaml", "command line"],
        ),
    ],
)
def test_group_tells_who_chose_its_option(
    capsys: pytest.CaptureFixture[str], words: list[str], value: object, sources: list[str]
) -> None:
    assert (found := chain(capsys, *words))[0] == value
    assert [source for source, _ in found[1]] == sources


def test_text_for_people(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["why", "optimizer.learning_rate", "optimizer=sgd", "optimizer.learning_rate=0.1"]
    assert main(words) == 0
    head, replaced, wins = capsys.readouterr().out.splitlines()
    assert head == "optimizer.learning_rate: 0.1"
    assert replaced.split() == (
        ["replaced", "0.01", "conf/optimizer/sgd.yaml:4", "since", "optimizer=sgd", "on", "the", "command", "line"]
    )
    assert wins.split() == ["wins", "0.1", "command", "line"]
    monkeypatch.setenv("COLUMNS", "60")
    assert main(words) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


def test_key_that_follows_another_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "callbacks.early_stopping.monitor"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("callbacks.early_stopping.monitor: val_loss\n")
    assert "${task.monitor}" in shown
    assert shown.endswith("It follows another key: dltrain why task.monitor\n")


def test_removed_key_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    value, links = chain(capsys, "callbacks.tensorboard", "~callbacks.tensorboard")
    assert value is None
    assert links[-1] == ("command line", "(removed)")


def test_own_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    (tmp_path / "mine" / "experiment" / "own.yaml").write_text("# @package _global_\nrows: 30\n")
    words = ["rows", "--config-dir", "mine", "experiment=own"]
    assert chain(capsys, *words) == (30, [("conf/config.yaml", None), ("mine/experiment/own.yaml", 30)])


def test_csv_is_the_chain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "seed=", "seed=3", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["source"], row["value"]) for row in rows] == [("conf/config.yaml", "42"), ("command line", "3")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["learning_rate"], "learning_rate: nothing sets this key. Did you mean 'optimizer.learning_rate'?"),
        (["optimiser"], "Did you mean 'optimizer'?"),
        (["seed=3"], "'seed=3' is not a key. Name the key first: dltrain why seed seed=3"),
        (["seed", "trainer.epohcs=3"], "trainer.epohcs: there is no such key."),
        (["seed", "--config-dir", "nowhere"], "--config-dir expects a folder"),
        ([], "expected KEY, got nothing"),
    ],
)
def test_bad_words_exit_2(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert main(["why", *words]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert message in error
