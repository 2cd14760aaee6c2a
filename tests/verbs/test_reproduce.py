from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dltrain.base.errors import ConfigError
from dltrain.record.record import Record
from dltrain.verbs import reproduce


@pytest.fixture(scope="module")
def finished(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = ("model.units=[2]", "model.dropout=0.5", "trainer.epochs=2", "score_test=always")
    path: Path = run_in(tmp_path_factory.mktemp("runs") / "first", *words).path
    return path


def test_run_gives_the_same_again(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduce.VERB.main([str(finished)]) == 0
    assert capsys.readouterr().out.endswith("identical: data, config, history, metrics and predictions\n")
    again = finished.with_name("first_reproduced")
    for name in ("history.csv", "predictions.csv", "config.yaml"):
        assert (again / name).read_bytes() == (finished / name).read_bytes()
    assert Record(again).settings == Record(finished).settings


def test_job_of_a_sweep_is_repeated_beside_the_sweep(finished: Path, tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    shutil.copytree(finished, sweep / "0")
    (sweep / "sweep.json").touch()
    assert reproduce.VERB.main([str(sweep / "0")]) == 0
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["sweep", "sweep_0_reproduced"]
    assert [path.name for path in sorted(sweep.iterdir())] == ["0", "sweep.json"]


def test_what_differs_is_told_with_its_size(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = finished / "history.csv"
    before = table.read_text()
    lines = before.splitlines()
    cells = lines[1].split(",")
    place = lines[0].split(",").index("loss")
    cells[place] = str(float(cells[place]) + 0.25)
    table.write_text("\n".join([lines[0], ",".join(cells), *lines[2:], ""]))
    try:
        assert reproduce.VERB.main([str(finished), "--output", str(tmp_path / "again"), "--json"]) == 1
    finally:
        table.write_text(before)
    told = json.loads(capsys.readouterr().out)
    assert told["identical"] is False
    (difference,) = [each for each in told["differences"] if each["matters"]]
    assert (difference["where"], difference["name"]) == ("history", "loss")
    assert difference["largest"] == pytest.approx(0.25)


def test_run_that_did_not_complete_and_directory_that_is_taken_are_refused(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--output: .* holds another run"):
        reproduce.VERB.main([str(finished), "--output", str(finished)])
    (tmp_path / "run.json").write_text('{"status": "interrupted"}')
    with pytest.raises(ConfigError, match=r"status interrupted: only a completed run"):
        reproduce.VERB.main([str(tmp_path)])
