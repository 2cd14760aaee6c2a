from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dltrain.record.record import Record
from dltrain.record.reproduction import differences

FACTS = {
    "data": {"sha256": "abc", "rows": 3},
    "versions": {"python": "3.11", "numpy": "2.4"},
    "git": {"commit": "111", "changed_files": 0},
}
METRICS = {"test": {"loss": 0.5}, "intervals": {"test": {"loss": [0.4, 0.6]}}, "epochs": 2}
PREDICTIONS = "row_id,part,target,prediction,probability_yes\n1,test,yes,yes,0.75\n2,test,no,yes,0.5\n"


def recorded(path: Path, **changes: Any) -> Record:
    path.mkdir()
    files = {
        "run.json": json.dumps(FACTS | changes.get("facts", {})),
        "config.yaml": changes.get("config", "seed: 1\ntrainer: {epochs: 2}\n"),
        "metrics.json": json.dumps(METRICS | changes.get("metrics", {})),
        "history.csv": changes.get("history", "epoch,loss\n1,0.5\n2,0.25\n"),
        "predictions.csv": changes.get("predictions", PREDICTIONS),
    }
    for name, text in files.items():
        (path / name).write_text(text)
    return Record(path)


def found(tmp_path: Path, **changes: Any) -> list[tuple[str, str, float | None, bool]]:
    several = differences(recorded(tmp_path / "before"), recorded(tmp_path / "after", **changes))
    return [(each.where, each.name, each.largest, each.matters) for each in several]


def test_same_runs_differ_in_nothing(tmp_path: Path) -> None:
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"facts": {"data": {"sha256": "abd", "rows": 3}}}, ("data", "sha256", None, True)),
        ({"config": "seed: 2\ntrainer: {epochs: 2}\n"}, ("config", "seed", None, True)),
        ({"facts": {"versions": {"python": "3.11", "numpy": "2.5"}}}, ("versions", "numpy", None, False)),
        (
            {"facts": {"versions": {"python": "3.11", "numpy": "2.4", "TF_ENABLE_ONEDNN_OPTS": "0"}}},
            ("versions", "TF_ENABLE_ONEDNN_OPTS", None, False),
        ),
        ({"facts": {"git": {"commit": "222"}}}, ("git", "commit", None, False)),
        ({"facts": {"git": {"commit": "111", "changed_files": 4}}}, ("git", "changed_files", None, False)),
        ({"history": "epoch,loss\n1,0.5\n2,0.5\n"}, ("history", "loss", 0.25, True)),
        ({"history": "epoch,loss\n1,0.5\n"}, ("history", "rows", None, True)),
        ({"history": "epoch,loss\n1,0.5\n2,nan\n"}, ("history", "loss", float("inf"), True)),
        ({"history": "epoch,mae\n1,0.5\n2,0.25\n"}, ("history", "loss", float("inf"), True)),
        ({"metrics": {"test": {"loss": 0.625}}}, ("metrics", "test.loss", 0.125, True)),
        (
            {"metrics": {"intervals": {"test": {"loss": [0.4, 0.7]}}}},
            ("metrics", "intervals.test.loss.1", pytest.approx(0.1), True),
        ),
        ({"predictions": PREDICTIONS.replace("0.75", "1")}, ("predictions", "probability_yes", 0.25, True)),
        ({"predictions": PREDICTIONS.replace("no,yes", "no,no")}, ("predictions", "prediction", None, True)),
    ],
)
def test_each_difference_is_told_with_its_size(tmp_path: Path, changes: Any, expected: Any) -> None:
    assert expected in found(tmp_path, **changes)


def test_areas_of_a_version_that_counted_over_thresholds_do_not_matter(tmp_path: Path) -> None:
    counted = {"test": {"auc": 0.78, "loss": 0.5}, "monitor": "val_auc", "best_value": 0.7, "notes": ["none"]}
    exact = {
        "test": {"auc": 0.81, "loss": 0.6},
        "monitor": "val_auc",
        "best_value": 0.8,
        "notes": ["auc: exact"],
        "exact": ["auc"],
    }
    before, after = recorded(tmp_path / "before", metrics=counted), recorded(tmp_path / "after", metrics=exact)
    found = {each.name: each.matters for each in differences(before, after)}
    assert found == {"test.auc": False, "test.loss": True, "best_value": False, "notes.0": False, "exact.0": False}
    # Of two runs that both have exact areas, each difference matters.
    later = recorded(tmp_path / "later", metrics=exact | {"test": {"auc": 0.82, "loss": 0.6}})
    assert {each.name: each.matters for each in differences(after, later)} == {"test.auc": True}


def test_comparison_by_another_rule_does_not_matter(tmp_path: Path) -> None:
    before = recorded(tmp_path / "before", metrics={"difference": {"part": "test", "value": 0.25}})
    after = recorded(tmp_path / "after", metrics={"difference": {"part": "seeds", "value": 0.125, "repeats": 3}})
    found = {each.name: each.matters for each in differences(before, after)}
    assert found == {"difference.part": False, "difference.value": False, "difference.repeats": False}
