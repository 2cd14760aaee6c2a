from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.data import check_parts

ROWS = 200  # 120 train rows, then 40 validation and 40 test rows


@pytest.fixture
def numbers() -> Any:
    return np.random.default_rng(0).standard_normal((2, ROWS))


def test_a_copy_is_found_if_all_its_columns_are_equal(make_parts: Any, numbers: Any) -> None:
    a, b = numbers
    a[130], a[[170, 171]] = a[1], a[[2, 3]]
    assert list(check_parts.shared_rows(make_parts({"a": a, "b": b}))) == []
    b[130], b[[170, 171]] = b[1], b[[2, 3]]
    found = list(check_parts.shared_rows(make_parts({"a": a, "b": b})))
    assert [(finding.severity, finding.rows) for finding in found] == [("warning", (130,)), ("warning", (170, 171))]


def test_swapped_cells_make_no_copy(make_parts: Any, numbers: Any) -> None:
    a, b = numbers
    a[130], b[130] = b[1], a[1]
    assert list(check_parts.shared_rows(make_parts({"a": a, "b": b}))) == []


@pytest.mark.parametrize(("rows", "severity"), [((125,), "note"), ((125, 126, 127), "warning")])
def test_categories_that_no_train_row_has(make_parts: Any, rows: tuple[int, ...], severity: str) -> None:
    cells = np.array(["x", "y"] * (ROWS // 2), dtype=object)
    cells[list(rows)] = "new"
    cells[160] = ""  # a missing cell is no category
    (finding,) = check_parts.unseen_categories(make_parts({"c": cells}))
    assert (finding.severity, finding.columns, finding.rows) == (severity, ("c",), rows)


def test_drift_names_part_and_column(make_parts: Any, numbers: Any) -> None:
    a, b = numbers
    assert list(check_parts.drift(make_parts({"a": a, "b": b}))) == []
    b[160:] += 4
    (finding,) = check_parts.drift(make_parts({"a": a, "b": b}))
    assert finding.columns == ("b",)
    assert "tells test rows from train rows" in finding.sentence
