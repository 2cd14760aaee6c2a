from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.data import check_columns

ROWS = 100


@pytest.fixture
def truth() -> Any:
    return np.random.default_rng(0).integers(0, 2, ROWS).astype(float)


def test_a_column_that_tells_the_target_is_named_and_a_noisy_one_is_not(make_parts: Any, truth: Any) -> None:
    noise = np.random.default_rng(1).standard_normal(ROWS)
    found = list(check_columns.leaks(make_parts({"told": 2 * truth + 1, "hint": truth + noise}, truth)))
    assert [(finding.check, finding.columns) for finding in found] == [("target leak", ("told",))]
    # One class lies on both sides of the other.
    around = np.where(truth > 0, 2.0, 1.0) * np.where(noise > 0, 1, -1) + noise / 1000
    found = list(check_columns.leaks(make_parts({"around": around, "noise": noise}, truth)))
    assert [finding.columns for finding in found] == [("around",)]


@pytest.mark.parametrize("every", [200, 2_000])
def test_rare_class_is_judged_by_its_rows_or_not_at_all(make_parts: Any, every: int) -> None:
    truth = (np.arange(12_000) % every == 7).astype(float)  # a sample of 1,000 rows has five of them, or none
    noise = np.random.default_rng(1).standard_normal((2, len(truth)))
    found = list(check_columns.leaks(make_parts({"told": truth + noise[0] / 100, "noise": noise[1]}, truth)))
    assert [finding.columns for finding in found] == ([("told",)] if every == 200 else [])


@pytest.mark.parametrize("rows", [40, ROWS])
def test_a_single_column_or_few_rows_are_no_leak(make_parts: Any, truth: Any, rows: int) -> None:
    columns = {"told": truth[:rows]} | ({"other": np.arange(rows) % 7.0} if rows < ROWS else {})
    assert list(check_columns.leaks(make_parts(columns, truth[:rows]))) == []


@pytest.mark.parametrize(
    ("cells", "check"),
    [
        (np.full(ROWS, 3.0), "constant column"),
        (np.full(ROWS, "", dtype=object), "constant column"),
        (np.where(np.arange(ROWS) % 3 == 0, np.arange(ROWS) / 7, np.nan), "mostly missing column"),
        (np.arange(ROWS, dtype=float), "identifying column"),
        (np.array([f"name {row}" for row in range(ROWS)], dtype=object), "identifying column"),
        (np.arange(ROWS) / 7, None),  # fractions name no row
        (np.where(np.arange(ROWS) % 2, 3.0, np.nan), None),  # whether it is missing may tell something
        (np.arange(ROWS) % 7.0, None),
    ],
)
def test_a_useless_column_is_named_with_its_reason(make_parts: Any, cells: Any, check: str | None) -> None:
    found = list(check_columns.useless(make_parts({"column": cells})))
    assert [(finding.check, finding.columns) for finding in found] == ([(check, ("column",))] if check else [])


def test_a_rising_number_identifies_and_a_shuffled_one_only_by_its_name(make_parts: Any) -> None:
    shuffled = np.random.default_rng(2).permutation(ROWS).astype(float)
    found = check_columns.useless(make_parts({"user_id": shuffled, "count": shuffled, "falling": -np.arange(100.0)}))
    assert [finding.columns for finding in found] == [("user_id",), ("falling",)]
