from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import pytest

from dltrain.api.rerun import run_recorded, where_it_was_started
from dltrain.base.errors import DataError
from dltrain.config.compose import Composer
from dltrain.internals import tensorflow_quietly
from dltrain.record.record import Record


def record_in(path: Path, folder: Path | None) -> Record:
    path.mkdir()
    (path / "run.json").write_text(json.dumps({"working_directory": folder and str(folder)}))
    return Record(path)


def test_a_recorded_run_finds_its_files_and_modules_and_leaves_no_trace(tmp_path: Path) -> None:
    started = tmp_path / "started"
    started.mkdir()
    before, path = Path.cwd(), list(sys.path)
    with contextlib.suppress(ZeroDivisionError), where_it_was_started(record_in(tmp_path / "run", started)):
        assert Path.cwd() == started.resolve()
        assert sys.path[-1] == str(started)
        raise ZeroDivisionError
    assert (Path.cwd(), sys.path) == (before, path)


@pytest.mark.parametrize("folder", [None, Path("/no/such/folder")])
def test_a_folder_that_is_gone_or_unknown_changes_nothing(tmp_path: Path, folder: Path | None) -> None:
    before = Path.cwd()
    with where_it_was_started(record_in(tmp_path / "run", folder)):
        assert Path.cwd() == before


@pytest.mark.parametrize("quiet", [False, True])
def test_words_directory_and_data_are_shown_before_tensorflow_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    class LoadingError(Exception):
        pass

    def load(config: object) -> None:
        raise LoadingError

    monkeypatch.delenv("COLUMNS", raising=False)  # by which lines are broken
    monkeypatch.setattr(tensorflow_quietly, "is_loaded", lambda: False)
    monkeypatch.setattr(tensorflow_quietly, "load", load)
    config = Composer().compose(["dataset=wine", f"quiet={str(quiet).lower()}"])
    record = record_in(tmp_path / "run", tmp_path)
    record.facts.update(overrides=["model.units=[2]"], choices={"dataset": "wine", "model": "mlp", "optimizer": "adam"})
    change = {"key": "trainer.epochs", "before": 3, "after": 9, "epoch": 4}
    with pytest.raises(LoadingError):
        run_recorded(record, config, tmp_path / "new", resumes=True, changes=[change])
    lines = capsys.readouterr().out.splitlines()
    if quiet:
        assert lines == []
        return
    assert lines[:2] == [
        "experiment dataset=wine model=mlp optimizer=adam model.units=[2] trainer.epochs=9",
        f"directory  {tmp_path / 'new'}",
    ]
    assert "wine" in lines[2].lower()


def test_a_fault_of_the_data_leaves_an_interrupted_run_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorflow_quietly, "is_loaded", lambda: False)
    monkeypatch.setattr(tensorflow_quietly, "load", lambda config: pytest.fail("TensorFlow is loaded"))
    (tmp_path / "few.csv").write_text("a,b\n1,2\n3,4\n")
    config = Composer().compose(["dataset=csv", "dataset.path=few.csv", "dataset.target=b"])
    record = record_in(tmp_path / "run", tmp_path)
    before = (record.path / "run.json").read_bytes()
    with pytest.raises(DataError, match="expected at least 10"):
        run_recorded(record, config, record.path, resumes=True)
    assert [path.name for path in record.path.iterdir()] == ["run.json"]
    assert (record.path / "run.json").read_bytes() == before
