from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dltrain.report.folds import read_folds

SUMMARY = {
    "folds": [{"fold": 1, "auc": 0.8}, {"fold": 2, "auc": 0.6}],
    "mean": {"auc": 0.7},
    "sd": {"auc": 0.14},
    "baselines": {"majority": {"mean": {"auc": 0.5}}},
}


def write_history(path: Path, losses: list[float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("epoch,loss\n" + "".join(f"{place},{loss}\n" for place, loss in enumerate(losses)))


def test_scored_folds_stand_for_the_validation_part(record_of: Any) -> None:
    metrics = {"cross_validation": SUMMARY, "train": {"auc": 0.9}, "baselines": {"majority": {"train": {"auc": 0.5}}}}
    record = record_of({}, metrics)
    write_history(record.path / "history.csv", [9, 9])  # of the run, which is no fold
    write_history(record.path / "cv" / "fold_1" / "history.csv", [4, 2, 1])
    write_history(record.path / "cv" / "fold_2" / "history.csv", [2, 1])
    found = read_folds(record, {"train": 80, "test": 20})
    assert found
    assert found.metrics["validation"] == {"auc": 0.7}
    assert found.metrics["baselines"]["majority"] == {"train": {"auc": 0.5}, "validation": {"auc": 0.5}}
    assert found.rows == 80
    # Up to the end of the shortest.
    assert [epoch["loss"] for epoch in found.history] == [3, 1.5]
    assert record.metrics == json.loads(json.dumps(metrics))


def test_a_run_without_folds_has_none(record_of: Any) -> None:
    assert read_folds(record_of({}), {"train": 8}) is None
