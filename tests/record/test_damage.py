from __future__ import annotations

import json
from pathlib import Path

import pytest

from dltrain.cli.main import main
from dltrain.record.damage import damaged, damaged_among
from dltrain.record.run_directory import RunDirectory, add_test_scoring


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = RunDirectory(tmp_path / "run")
    directory.path.mkdir()
    directory.start(seed=1, loss=float("nan"), path=tmp_path)
    directory.write_json("metrics.json", {"loss": 0.5})
    directory.write_text("history.csv", "epoch\n1\n")
    directory.finish("completed")
    return directory.path


def test_run_as_it_was_written_is_whole_also_after_a_scoring(run: Path) -> None:
    assert damaged(run) == []
    add_test_scoring(run, 3, data="é")
    assert damaged(run) == []


@pytest.mark.parametrize("content", [b"", b'{"loss": 0.6}', b"\xff", None])
def test_changed_file_is_named(run: Path, content: bytes | None) -> None:
    (run / "metrics.json").unlink()
    if content is None:
        (run / "metrics.json").mkdir()
    else:
        (run / "metrics.json").write_bytes(content)
    assert damaged(run) == ["metrics.json"]
    assert damaged_among(["--flag", str(run / "history.csv"), "x" * 5_000, "\x00"]) == [str(run / "metrics.json")]


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "{}", "null", '{"status": "x", "files": 5}', '{"status": "x", "files": [1]}']
)
def test_run_json_that_says_nothing_is_named(run: Path, content: str) -> None:
    (run / "run.json").write_text(content)
    assert damaged(run) == ["run.json"]


def test_run_json_with_another_value_is_named(run: Path) -> None:
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**facts, "seed": 2}))
    assert damaged(run) == ["run.json"]
    (run / "run.json").write_text(json.dumps(facts))  # in other whitespace
    assert damaged(run) == []


def test_run_of_an_earlier_version_counts_as_whole(run: Path) -> None:
    (run / "run.json").write_text('{"status": "completed"}')
    assert damaged(run) == []


def test_error_over_a_damaged_file_is_a_sentence_and_over_whole_files_a_bug(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> int:
        return {}["loss"]

    monkeypatch.setattr("dltrain.verbs.Verb.main", lambda *_: fail(None))
    assert main(["report", str(run)]) == 1
    assert "Traceback" in capsys.readouterr().err
    (run / "metrics.json").write_text("{}")
    assert main(["report", str(run)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {run / 'metrics.json'}: damaged or changed since the run wrote it")
