"""A grid over one or two columns of a table, the others held at their usual value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from dltrain.base.errors import ConfigError
from dltrain.data.dataset import Dataset
from dltrain.training.answer_grid import axis_of, checked_columns, grid_of, places_of, usual_cell

COLUMNS = {
    "age": np.array([20.0, 30.0, np.nan, 40.0, 1000.0]),
    "town": np.array(["Ulm", "Bonn", "Ulm", "", "Ulm"], dtype=object),
    "day": np.array(["2020-01-01"] * 5, dtype=object),
}
TABLE = Dataset(
    name="table",
    columns=COLUMNS,
    kinds={"age": "numeric", "town": "category", "day": "date"},
    target={"target": np.arange(5.0)},
    row_ids=np.arange(5),
    source="made up",
)


def test_grid_holds_the_other_columns() -> None:
    axes = [axis_of(name, TABLE) for name in ("age", "town")]
    held = {"day": usual_cell(TABLE, "day")}
    rows = grid_of(TABLE, axes, held, 4)
    assert len(rows) == 4 * 2
    assert list(rows.columns) == list(TABLE.columns)
    assert list(rows.columns["town"]) == ["Bonn"] * 4 + ["Ulm"] * 4
    ages = rows.columns["age"].astype(float)
    assert (ages[:4] == ages[4:]).all()
    assert ages[0] < 20.0
    assert set(rows.columns["day"]) == {"2020-01-01"}
    assert usual_cell(TABLE, "age") == 35.0
    assert usual_cell(TABLE, "town") == "Ulm"


def test_places_are_numbers_and_places_of_words() -> None:
    assert places_of(axis_of("age", TABLE), TABLE) == [20.0, 30.0, None, 40.0, 1000.0]
    assert places_of(axis_of("town", TABLE), TABLE) == [1, 0, 1, None, 1]


def test_first_columns_are_numbers_before_categories() -> None:
    assert checked_columns(None, TABLE) == ["age", "town"]
    assert checked_columns(["town"], TABLE) == ["town"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([], "expected one column or two different ones, got"),
        (["age", "age"], "expected one column or two different ones"),
        (["age", "town", "day"], "expected one column or two"),
        (["aeg"], "the data have no column 'aeg'. Did you mean 'age'"),
        (["day"], "expected columns of numbers or categories, and 'day' is of kind date"),
    ],
)
def test_other_columns_are_refused(columns: Sequence[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        checked_columns(columns, TABLE)
