from __future__ import annotations

import numpy as np
import pytest

from dltrain.preprocessing import imputation

GAP = np.nan
VALUES = np.array([[1.0, 5.0, GAP], [2.0, 3.0, GAP], [9.0, 3.0, GAP], [GAP, 5.0, GAP]])


@pytest.mark.parametrize(("name", "fill"), [("median", [2, 4, 0]), ("mean", [4, 4, 0]), ("most_frequent", [1, 3, 0])])
def test_values_of_the_columns(name: str, fill: list[float]) -> None:
    learned = getattr(imputation, name)(VALUES, indicators=True)
    np.testing.assert_array_equal(learned.fill, fill)
    np.testing.assert_array_equal(learned.indicated, [0, 2])


def test_most_frequent_takes_the_most_frequent() -> None:
    learned = imputation.most_frequent(np.array([[1.0], [7.0], [7.0], [GAP]]), indicators=True)
    np.testing.assert_array_equal(learned.fill, [7])


def test_constant_is_the_same_for_all() -> None:
    np.testing.assert_array_equal(imputation.constant(VALUES, value=-1.5, indicators=True).fill, [-1.5] * 3)


@pytest.mark.parametrize("name", ["median", "mean", "most_frequent"])
def test_without_indicators_no_column_is_indicated(name: str) -> None:
    assert len(getattr(imputation, name)(VALUES, indicators=False).indicated) == 0
