from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltrain.base.errors import DataError
from dltrain.data.raw_table import RawTable, check_names, from_frame, mark_missing


def test_columns_of_any_type_become_numbers_or_words() -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "flag": [True, False, True],
            "mixed": [1, "1.0", None],
            "level": pd.Categorical(["low", None, "high"]),
            "list": [[1], [2], None],
        }
    )
    table = from_frame(frame, origin="t.parquet")
    np.testing.assert_array_equal(np.asarray(table.columns["whole"], np.float64), [1, np.nan, 3])
    assert {name: cells.tolist() for name, cells in table.columns.items() if name != "whole"} == {
        "flag": ["True", "False", "True"],
        "mixed": ["1", "1.0", None],
        "level": ["low", None, "high"],
        "list": ["[1]", "[2]", None],
    }
    assert {name: kind for name, (kind, _) in table.declared.items()} == {"level": "category", "list": "ignore"}


def test_a_missing_word_is_missing_among_numbers_too() -> None:
    table = RawTable("t", {"n": np.array([-1.0, 2.0]), "w": np.array(["?", "-1.0"], dtype=object)})
    marked = mark_missing(table, ["?", "-1"])
    np.testing.assert_array_equal(np.asarray(marked.columns["n"], np.float64), [np.nan, 2.0])
    assert marked.columns["w"].tolist() == [None, "-1.0"]  # another spelling is another word
    assert table.columns["n"].tolist() == [-1.0, 2.0]


@given(st.lists(st.sampled_from("abcdef"), max_size=6))
def test_names_are_refused_exactly_if_two_are_equal(names: list[str]) -> None:
    if len(set(names)) == len(names):
        check_names(names, origin="t.csv")
    else:
        with pytest.raises(DataError, match=r"t\.csv: two columns are named"):
            check_names(names, origin="t.csv")


@pytest.mark.parametrize(("names", "hint"), [(["1", "2", "1"], True), (["a", "a"], False)])
def test_equal_numbers_as_names_are_told_as_a_missing_header(names: list[str], hint: bool) -> None:
    with pytest.raises(DataError) as caught:
        check_names(names, origin="t.csv")
    assert ("dataset.header=false" in str(caught.value)) is hint


@pytest.mark.parametrize(("lines", "place"), [(None, "t row 2"), (np.array([2, 5]), "t line 5")])
def test_a_row_is_found_by_its_line_else_by_its_number(lines: Any, place: str) -> None:
    assert RawTable("t", {"a": np.zeros(2)}, lines=lines).where(1) == place
