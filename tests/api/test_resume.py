from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dltrain.api import resume
from dltrain.base.files import PART
from dltrain.sweeps.ledger import Entry, Ledger


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs whose report is written."""
    names: list[str] = []

    def write(path: Path, *, trust: bool) -> Path:
        names.append(path.name)
        (path / "report.html").touch()
        return path / "report.html"

    monkeypatch.setattr(resume, "write_report", write)
    return names


@pytest.mark.parametrize(("wanted", "expected"), [(True, ["1"]), (False, []), ("auto", [])])
def test_jobs_get_the_report_that_they_wanted_and_lack(
    tmp_path: Path, written: list[str], wanted: Any, expected: list[str]
) -> None:
    (tmp_path / "sweep.json").write_text("{}")
    for job, status in enumerate(("completed", "completed", "failed")):
        folder = tmp_path / str(job)
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps({"status": status, "settings": {"report": wanted}}))
        Ledger(tmp_path).append(Entry(job=str(job), status=status))
    (tmp_path / "0" / "report.html").touch()
    (tmp_path / "1" / f"{PART}0.insights.json").touch()
    told: list[str] = []
    resume.write_missing_reports(tmp_path, told.append)
    assert written == expected
    assert bool(expected) != any((tmp_path / "1").glob(f"{PART}*"))
    assert [text.partition(":")[0] for text in told] == [f"the report of job {job} was missing" for job in expected]
    resume.write_missing_reports(tmp_path, told.append)
    assert written == expected
