from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import pytest

from dltrain.api.rerun import where_it_was_started
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
