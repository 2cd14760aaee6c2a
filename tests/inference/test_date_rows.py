"""A date means the same in training and in predictions, whichever type has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dltrain.base.errors import DataError
from dltrain.cli.main import main
from dltrain.inference.model import Model


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    day = pd.Series(pd.Timestamp("2021-01-05") + pd.to_timedelta(generator.integers(0, 900 * 24, 120), unit="h"))
    weekend = day.dt.day_of_week >= 5
    day[::17] = pd.NaT
    return pd.DataFrame({"day": day, "x": generator.normal(size=120), "y": np.where(weekend, "free", "busy")})


@pytest.fixture(scope="module", params=["csv", "parquet", "zoned"])
def run(request: Any, run_in: Any, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("dates")
    if request.param == "csv":
        path = folder / "t.csv"
        frame.assign(day=frame["day"].dt.strftime("%d/%m/%Y %H:%M")).to_csv(path, index=False)
    else:
        path = folder / "t.parquet"
        zoned = frame["day"].dt.tz_localize("Asia/Tokyo") if request.param == "zoned" else frame["day"]
        frame.assign(day=zoned).to_parquet(path)
    words = ("dataset=csv", f"dataset.path={path}", "dataset.target=y", "report=false", "model=linear")
    return path, run_in(folder / "run", *words, "trainer.epochs=2")


def test_predictions_are_those_of_the_run(run: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    path, finished = run
    assert main(["predict", str(finished.path), "--input", str(path), "--output", str(tmp_path / "p.csv")]) == 0
    recorded = pd.read_csv(finished.path / "predictions.csv").set_index("row_id").sort_index()
    found = pd.read_csv(tmp_path / "p.csv").set_index("row_id").sort_index()
    np.testing.assert_allclose(found["probability_free"], recorded["probability_free"], atol=1e-6)
    model = Model(finished.path)
    # The clock of a zone counts, so that the same frame without it gives the same.
    for day in (frame["day"], frame["day"].dt.tz_localize("America/New_York")):
        loaded = model.predict(frame.assign(day=day))["probability_free"]
        np.testing.assert_allclose(loaded, recorded["probability_free"], atol=1e-6)


def test_cell_that_is_no_such_date_is_named(run: Any, frame: pd.DataFrame) -> None:
    bad = frame.assign(day="tomorrow")
    with pytest.raises(DataError, match=r"row 1, column 'day': expected a date such as .*2020.*, got 'tomorrow'"):
        Model(run[1].path).predict(bad)
