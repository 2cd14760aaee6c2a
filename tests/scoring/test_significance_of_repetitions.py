from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from dltrain.config.metric_traits import KERAS
from dltrain.scoring.significance import mean_intervals, spread

SCORES = [{"loss": 1.0, "auc": math.nan}, {"loss": 2.0, "auc": 0.5}, {"loss": 6.0, "auc": 0.7}]


def test_mean_and_deviation_of_the_sample_leave_out_what_is_undefined() -> None:
    found = spread(SCORES)
    assert found["mean"] == pytest.approx({"loss": 3.0, "auc": 0.6})
    assert found["sd"] == pytest.approx({"loss": np.std([1, 2, 6], ddof=1), "auc": np.std([0.5, 0.7], ddof=1)})


def test_a_single_value_has_no_deviation_and_none_no_mean() -> None:
    found = spread(SCORES[:1])
    assert found["mean"]["loss"] == 1.0
    assert math.isnan(found["sd"]["loss"])
    assert math.isnan(found["mean"]["auc"])
    assert math.isnan(found["sd"]["auc"])


def test_interval_of_the_mean_is_that_of_student() -> None:
    found = mean_intervals(SCORES)
    expected = stats.t.interval(0.95, 2, 3.0, stats.sem([1, 2, 6]))
    assert found["loss"] == pytest.approx(expected)
    assert mean_intervals(SCORES[:2]).keys() == {"loss"}


def test_interval_of_the_mean_ends_where_the_metric_does() -> None:
    scores = [{"auc": 0.95, "rmse": 0.1}, {"auc": 0.75, "rmse": 2.0}]
    bounds = {"auc": KERAS["AUC"].bounds, "rmse": KERAS["RootMeanSquaredError"].bounds}
    found = mean_intervals(scores, bounds)
    assert found["auc"] == (0.0, 1.0)
    assert found["rmse"] == (0.0, mean_intervals(scores)["rmse"][1])
    assert KERAS["R2Score"].bounds == (-math.inf, 1.0)


def test_repetitions_that_are_equal_have_no_interval() -> None:
    assert mean_intervals([{"loss": 1.0, "accuracy": 0.9}, {"loss": 2.0, "accuracy": 0.9}]).keys() == {"loss"}
