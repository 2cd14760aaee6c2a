"""require_beats_baseline as an exit code, and what the terminal says of the difference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dltrain.cli.main import main

QUICK = ("trainer.epochs=1", "~callbacks.tensorboard", "~callbacks.progress", "quiet=true", "hydra.run.dir=run")


@pytest.mark.parametrize("required", [True, False])
def test_run_that_does_not_beat_its_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], required: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main(["dataset=wine", "model=linear", f"require_beats_baseline={str(required).lower()}", *QUICK])
    out, error = capsys.readouterr()
    assert code == int(required)
    assert json.loads(Path("run/run.json").read_text())["status"] == "completed"
    difference = json.loads(Path("run/metrics.json").read_text())["difference"]
    assert difference["value"] < 0
    assert "falls behind logistic regression by" in out
    assert "for this split and this seed alone" in out
    if required:
        (line,) = error.splitlines()
        assert line.startswith("error: require_beats_baseline: the run completed and falls behind logistic regression")
    else:
        assert error == ""


def test_run_that_beats_its_baseline_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The target is the distance from 0, which no straight line can tell.
    rows = [f"{(row % 41 - 20) / 10},{abs(row % 41 - 20) / 10}" for row in range(600)]
    (tmp_path / "table.csv").write_text("\n".join(["x,target", *rows]))
    monkeypatch.chdir(tmp_path)
    words = ["dataset=csv", "dataset.path=table.csv", "dataset.target=target", "task=regression"]
    shape = [
        "model=mlp",
        "model.units=[16]",
        "model.dropout=0",
        "optimizer.learning_rate=0.02",
        "trainer.epochs=30",
        *QUICK[1:],
    ]
    assert main([*words, *shape, "require_beats_baseline=true"]) == 0
    difference = json.loads(Path("run/metrics.json").read_text())["difference"]
    assert difference["metric"] == "rmse"
    assert difference["interval"][0] > 0
    assert "beats " in capsys.readouterr().out
