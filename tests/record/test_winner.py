"""A sweep stands for its best job where one run is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dltrain import verbs
from dltrain.base.errors import ConfigError
from dltrain.record.winner import run_of


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    (tmp_path / "sweep" / "1").mkdir(parents=True)
    (tmp_path / "sweep" / "1" / "run.json").write_text("{}")
    (tmp_path / "sweep" / "best.json").write_text(json.dumps({"job": "1"}))
    return tmp_path / "sweep"


def test_best_job_is_taken_and_told(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verbs.run_of(sweep) == sweep / "1"
    out, error = capsys.readouterr()
    assert (out, error) == ("", f"{sweep} is a sweep; its best job is used: {sweep / '1'}\n")


@pytest.mark.parametrize("path", ["1", "nowhere"])
def test_other_paths_stay(sweep: Path, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert verbs.run_of(str(sweep / path)) == sweep / path
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("content", ['{"job": "9"}', '{"job": null}', "[]", "{", "{}"])
def test_sweep_without_a_winner_is_refused(sweep: Path, content: str) -> None:
    (sweep / "best.json").write_text(content)
    with pytest.raises(ConfigError, match=r"best\.json|without a completed job"):
        run_of(sweep)
