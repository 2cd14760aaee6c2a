"""`dataset.weight` through a whole run and `dltrain evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from dltrain.base.errors import ConfigError, DataError
from dltrain.cli.main import main
from dltrain.inference.model import Model

WORDS = ("dataset=csv", "dataset.target=y", "dataset.weight=w", "model=linear", "trainer.epochs=2", "report=false")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(90, 2))
    target = np.where(numbers[:, 0] + generator.normal(size=90) > 0, "yes", "no")
    return pd.DataFrame({"a": numbers[:, 0], "b": numbers[:, 1], "w": generator.integers(1, 6, 90), "y": target})


@pytest.fixture(scope="module")
def run(run_in: Any, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("weights")
    frame.to_csv(folder / "t.csv", index=False)
    return run_in(folder / "run", *WORDS, f"dataset.path={folder / 't.csv'}")


def test_metrics_of_all_parts_are_weighted(run: Any, frame: pd.DataFrame) -> None:
    metrics, found = run.json("metrics.json"), pd.read_csv(run.path / "predictions.csv")
    np.testing.assert_allclose(found["weight"], frame["w"][found["row_id"]])
    for part, rows in found.groupby("part"):
        weights, truth = frame["w"][rows["row_id"]], rows["target"] == "yes"
        right = np.average(rows["target"] == rows["prediction"], weights=weights)
        assert metrics[part]["accuracy"] == pytest.approx(right, abs=1e-6)
        assert metrics[part]["loss"] == pytest.approx(log_loss(truth, rows["probability_yes"], sample_weight=weights))
        area = roc_auc_score(truth, rows["probability_yes"], sample_weight=weights)
        assert metrics[part]["auc"] == pytest.approx(area)
        share = np.average(truth, weights=weights)
        assert metrics["baselines"]["majority"][part]["accuracy"] == pytest.approx(max(share, 1 - share))
    last = run.rows("history.csv")[metrics["best_epoch"] - 1]
    assert float(last["val_accuracy"]) == pytest.approx(metrics["validation"]["accuracy"], abs=1e-6)
    assert float(last["val_loss"]) == pytest.approx(metrics["validation"]["loss"], abs=1e-6)


def test_evaluate_weighs_as_the_run_did(run: Any, frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run.path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["metrics"]
    expected = run.json("metrics.json")
    assert {name: each["value"] for name, each in found.items()} == pytest.approx(expected["test"], abs=1e-6)
    assert found["accuracy"]["low"] == pytest.approx(expected["intervals"]["test"]["accuracy"][0])
    model = Model(run.path)
    with pytest.raises(DataError, match=r"no column 'w' \(the weight of each row\)"):
        model.evaluate(frame.drop(columns="w"))
    with pytest.raises(DataError, match="row 3, column 'w': expected a number above 0 as the row's weight, came 0"):
        model.evaluate(frame.assign(w=frame["w"].where(frame.index != 2, 0)))
    assert len(model.predict(frame.drop(columns=["w", "y"]))) == len(frame)


@pytest.mark.parametrize(
    ("words", "error", "sentence"),
    [
        (["dataset.weight=y"], ConfigError, "dataset.weight=y is the target as well"),
        (["dataset.weight=v"], DataError, "dataset.weight: t.csv has no column 'v'"),
        (["+dataset.kinds.w=numeric"], ConfigError, "'w' is dataset.weight, no feature"),
        (["dataset.weight=b"], DataError, "'b' cannot weigh the rows: expected numbers above 0, t.csv line"),
    ],
)
def test_weight_that_cannot_be(
    run_in: Any, run: Any, tmp_path: Path, words: list[str], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        run_in(tmp_path / "run", *WORDS, f"dataset.path={run.path.parent / 't.csv'}", *words)
