from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.data.dataset import Dataset
from dltrain.preprocessing import imputation, scaling
from dltrain.preprocessing.columns import TableColumns, by_column

SCALINGS: list[Callable[[Any], Any]] = [
    scaling.none,
    scaling.minmax,
    scaling.minmax_symmetric,
    scaling.standard,
    scaling.robust,
    lambda values: scaling.robust_smooth_clip(values, bound=3.0),
    lambda values: scaling.quantile(values, quantiles=4),
]


@pytest.fixture
def table() -> TableColumns:
    cells = np.random.default_rng(0).normal(size=(20, 3)) * [1.0, 1e-9, 1e9]
    cells[3, 1] = np.nan
    columns = {f"x{place}": column for place, column in enumerate(cells.T)}
    kinds = dict.fromkeys(columns, "numeric")
    made = Dataset("made", columns, kinds, {"y": np.zeros(20)}, np.arange(20), "made here")  # type: ignore[arg-type]
    return TableColumns(len(made), made.columns, list(columns))


@pytest.mark.parametrize("learn", [imputation.median, imputation.mean, imputation.most_frequent])
def test_imputation_of_columns_one_by_one_is_that_of_the_array(table: TableColumns, learn: Any) -> None:
    one, other = learn(table, indicators=True), learn(np.asarray(table), indicators=True)
    np.testing.assert_array_equal(one.fill, other.fill)
    assert list(one.indicated) == list(other.indicated) == [1]


@pytest.mark.parametrize("learn", SCALINGS)
def test_scaling_of_columns_one_by_one_is_that_of_the_array(table: TableColumns, learn: Callable[[Any], Any]) -> None:
    filled = TableColumns(len(table.columns["x0"]), table.columns, table.names, np.array([0.0, 7.0, 0.0]))
    rows = keras.ops.convert_to_tensor(np.asarray(filled))
    assert np.asarray(filled)[3, 1] == 7.0
    np.testing.assert_array_equal(learn(filled)(rows), learn(np.asarray(filled))(rows))


def test_pixels_have_a_statistic_for_each_channel() -> None:
    images = np.arange(24.0).reshape(2, 2, 2, 3)
    np.testing.assert_array_equal(by_column(np.max, images), [21, 22, 23])
