from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dltrain.preprocessing import statistics


@given(arrays(np.float64, st.integers(1, 9), elements=st.floats(-1e6, 1e6)))
def test_numbers_of_the_usual_size_give_what_numpy_gives(column: np.ndarray) -> None:
    assert statistics.median(column) == np.median(column)
    assert float(statistics.mean(column)) == pytest.approx(column.mean(), rel=1e-12, abs=1e-300)
    assert float(statistics.deviation(column)) == pytest.approx(column.std(), rel=1e-6, abs=1e-9)


@given(arrays(np.float64, (7, 2), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_nothing_overflows(rows: np.ndarray) -> None:
    for column in rows.T:
        for statistic in (statistics.median, statistics.mean):
            assert column.min() <= statistic(column) <= column.max()
    assert np.isfinite(statistics.deviation(rows)).all()


@pytest.mark.parametrize("value", [0.1, 1.7e308, -1e20 / 3])
def test_constant_column_has_its_value_and_no_deviation(value: float) -> None:
    column = np.full(6, value)
    assert statistics.median(column) == statistics.mean(column) == value
    assert statistics.deviation(column) == 0
