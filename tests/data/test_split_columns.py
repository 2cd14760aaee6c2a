from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.split_columns import group_numbers, times


def words(*cells: str) -> Any:
    return np.array(cells, dtype=object)


@pytest.fixture
def table(make_dataset: Any) -> Any:
    return make_dataset(
        {
            "year": np.array([2021.0, 2020.0, 2020.0, 2021.0]),
            "month": np.array([1.0, 12.0, 2.0, 1.0]),
            "day": words("2020-01-02", "2020-01-01 12:00", "1970-01-02", "2020-01-02"),
            "code": words("b", "a", "b", "c"),
            "number": words("10", "9", "2.5", "-1"),
            "hole": words("a", "", "b", ""),
        },
        kinds={"day": "category"},
        target=np.array([0.0, 1.0, 0.0, 1.0]),
    )


def test_groups_are_numbered_by_their_words(table: Any) -> None:
    assert group_numbers(table, "code", "split.column").tolist() == [1, 0, 1, 2]
    assert group_numbers(table, "year", "split.column").tolist() == [1, 0, 0, 1]


def test_times_are_days_or_numbers_or_ranks(table: Any) -> None:
    found = times(table, "day", "split.column")
    assert found[2] == 1.0
    assert (found[0] - found[1], found[0]) == (0.5, found[3])
    assert times(table, "number", "split.column").tolist() == [10.0, 9.0, 2.5, -1.0]
    assert times(table, ["year", "month"], "split.column").tolist() == [2.0, 1.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("column", "kind", "sentence"),
    [
        ("dya", ConfigError, "split.column: small has no column 'dya'. Did you mean 'day'?"),
        ("target", ConfigError, "split.column: column 'target' of small is its target"),
        ("code", DataError, "split.column: column 'code' holds 'b'; expected dates of one format, such as 2020-12-31"),
        ("hole", DataError, "split.column: column 'hole' is empty in row 1 (2 rows in all); expected a value in each"),
        ([], ConfigError, "split.column: expected a column, or a list of columns"),
    ],
)
def test_a_column_without_an_order_is_refused(table: Any, column: Any, kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind) as caught:
        times(table, column, "split.column")
    assert sentence in str(caught.value)
