from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from dltrain.dashboard.details import changed, comparison_details, history_of, run_details, small_curve, sweep_details
from dltrain.dashboard.shelf import Shelf
from dltrain.record.record import Record


def test_run(tmp_path: Path, write_run: Callable[..., Path]) -> None:
    run = write_run("a")
    (run / "plots").mkdir()
    (run / "plots" / "curve_loss.svg").write_text("<svg/>")
    found = run_details(Shelf(tmp_path / "outputs"), "a")
    assert found["facts"]["dataset"] == "wine"
    assert found["metrics"]["head"] == ["metric", "train", "validation", "test", "95 % interval on test"]
    assert ["accuracy", 0.8, 0.8, 0.8, [0.7, 0.9]] in found["metrics"]["rows"]
    assert found["pictures"] == ["curve_loss.svg"]
    assert found["commands"][0][1] == f"dltrain reproduce {run}"
    json.dumps(found, allow_nan=False)


def test_settings_that_are_not_the_defaults(write_run: Callable[..., Path]) -> None:
    found = changed(Record(write_run("a")))
    assert ["dataset", "wine", "titanic"] in found
    assert ["optimizer.learning_rate", 0.01, 0.001] in found
    assert not [each for each in found if each[0] == "seed"]
    assert changed(Record(write_run("b", choices={"model": "of_my_own"}))) == []


def test_history_from_a_row_on(write_run: Callable[..., Path]) -> None:
    run = write_run("a")
    assert history_of(run, 2) == {"columns": ["epoch", "loss", "val_loss"], "rows": [[3.0, 0.4, 0.55]]}
    assert small_curve(run) == [0.8, 0.6, 0.55]
    (run / "history.csv").write_text("epoch,loss\n1,nan\n")
    assert history_of(run)["rows"] == [[1.0, "nan"]]
    assert small_curve(run) == []


def test_comparison(tmp_path: Path, write_run: Callable[..., Path]) -> None:
    write_run("a")
    write_run("b", settings={"seed": 7})
    found = comparison_details(Shelf(tmp_path / "outputs"), ["a", "b"])
    assert found["sections"]["settings"]["seed"] == [42, 7]
    assert [each["letter"] for each in found["runs"]] == ["A", "B"]
    assert any("no test is valid" in sentence for sentence in found["sentences"])


def test_sweep(tmp_path: Path, write_sweep: Callable[..., Path]) -> None:
    write_sweep("s")
    found = sweep_details(Shelf(tmp_path / "outputs"), "s")
    assert [(job["job"], job["status"], job["rank"]) for job in found["jobs"]] == [
        ("0", "completed", 0), ("1", "completed", 1), ("2", "failed", None),
    ]  # fmt: skip
    assert found["jobs"][2]["reason"] == "it broke"
    assert (found["keys"], found["monitor"], found["direction"]) == (["optimizer"], "val_loss", "min")
    assert [(job["job"], job["epoch"], job["of"]) for job in found["running"]] == [("3", 3, 3)]
    json.dumps(found, allow_nan=False)
