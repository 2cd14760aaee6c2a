from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltrain.base.errors import DataError
from dltrain.data.cells import numbers, words
from dltrain.data.missing_cells import Missing
from dltrain.data.raw_table import check_names, from_columns, from_frame, join, mark_missing


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
    assert {name: words(cells).to_pylist() for name, cells in table.columns.items()} == {
        "whole": ["1", None, "3"],
        "flag": ["True", "False", "True"],
        "mixed": ["1", "1.0", None],
        "level": ["low", None, "high"],
        "list": ["[1]", "[2]", None],
    }
    assert {name: kind for name, (kind, _) in table.declared.items()} == {"level": "category", "list": "ignore"}
    assert numbers(table.columns["whole"]).tolist() == pytest.approx([1, np.nan, 3], nan_ok=True)


def test_a_missing_word_is_missing_in_every_column_and_spelling() -> None:
    columns = {"n": [-1.0, 2.0], "whole": [2**53 + 1, -1], "w": [" ? ", "-1.00"], "other": [" NA", "x "]}
    table = from_columns(columns.items(), origin="t")
    marked = mark_missing(table, Missing.of(["?", "-1"]))
    assert {name: words(cells).to_pylist() for name, cells in marked.columns.items()} == {
        "n": [None, "2"],
        "whole": [str(2**53 + 1), None],
        "w": [None, None],
        "other": [None, "x"],
    }
    assert table.columns["n"].to_pylist() == [-1.0, 2.0]


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
    assert from_columns([("a", [0, 0])], origin="t", lines=lines).where(1) == place


def test_blocks_are_joined_and_words_win_over_numbers() -> None:
    first = from_columns([("a", [1, 2]), ("b", [None, None]), ("c", [0.5, 1.0])], origin="t", notes=("n",))
    second = from_columns([("a", [2.5]), ("b", [2**53 + 1]), ("c", ["x"])], origin="t", notes=("n",), first=2)
    table = join([first, second])
    assert {name: cells.to_pylist() for name, cells in table.columns.items()} == {
        "a": [1.0, 2.0, 2.5],
        "b": [None, None, 2**53 + 1],
        "c": ["0.5", "1", "x"],
    }
    assert table.notes == ("n",)
    assert second.where(0) == "t row 3"
