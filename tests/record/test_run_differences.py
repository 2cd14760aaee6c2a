from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dltrain.record.record import Record
from dltrain.record.run_differences import commit_of, sections_of


def record(path: Path, metrics: Any, **facts: Any) -> Record:
    path.mkdir()
    (path / "run.json").write_text(json.dumps({"choices": {}} | facts))
    (path / "metrics.json").write_text(json.dumps(metrics))
    return Record(path)


def test_what_is_equal_is_left_out_except_metrics(tmp_path: Path) -> None:
    same = {"data": {"name": "wine", "rows": 178}, "versions": {"keras": "3.1"}, "seconds": 2.0}
    one = record(tmp_path / "one", {"test": {"accuracy": 1.0}}, settings={"seed": 1, "trainer.epochs": 3}, **same)
    two = record(tmp_path / "two", {"test": {"accuracy": 1.0}}, settings={"seed": 1, "trainer.epochs": 9}, **same)
    assert sections_of({"one": one, "two": two}) == {
        "settings": {"trainer.epochs": [3, 9]},
        "data": {},
        "packages": {},
        "git": {},
        "metrics": {"test accuracy": [1.0, 1.0], "best epoch": [None, None], "seconds": [2.0, 2.0]},
    }


def test_what_only_one_run_has_is_none_for_the_other(tmp_path: Path) -> None:
    one = record(tmp_path / "one", {"validation": {"auc": 0.9}}, settings={}, versions={"keras": "3.1"})
    two = record(tmp_path / "two", {"validation": {"rmse": 2.0}}, settings={}, data={"rows": 5}, git={"commit": "abc"})
    found = sections_of({"one": one, "two": two})
    assert found["packages"] == {"keras": ["3.1", None]}
    assert found["data"] == {"rows": [None, 5]}
    assert found["git"] == {"commit": [None, "abc"]}
    assert found["metrics"]["validation auc"] == [0.9, None]
    assert found["metrics"]["validation rmse"] == [None, 2.0]


@pytest.mark.parametrize(
    ("git", "words"),
    [
        (None, None),
        ({"commit": ""}, None),
        ({"commit": "0123456789abcdef", "changed_files": 0}, "0123456789ab"),
        ({"commit": "0123456789abcdef", "changed_files": 2}, "0123456789ab and 2 changed files"),
    ],
)
def test_a_commit_is_short_and_tells_its_changes(git: Any, words: str | None) -> None:
    assert commit_of(git) == words
