from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dltrain.inference.rows import RawRows, fault_of, frame_rows, sliced, to_arrow


def test_blocks_hold_every_row_once_under_its_own_number() -> None:
    whole = RawRows({"a": pa.array(range(7)), "b": np.arange(14).reshape(7, 2)}, 10, "rows.csv")
    blocks = list(sliced(whole, 3))
    assert [len(block) for block in blocks] == [3, 3, 1]
    assert [cell for block in blocks for cell in block.columns["a"].to_pylist()] == list(range(7))
    assert blocks[1].where(2) == whole.where(5) == "rows.csv row 16"
    named = RawRows({"a": pa.array(range(3))}, 0, "folder", names=["x.png", "y.png", "z.png"])
    assert list(sliced(named, 2))[1].where(0) == "z.png"
    assert len(RawRows({}, 0, "nothing")) == 0


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        (2**63, "64 bits"),
        (-(2**63) - 1, "64 bits"),
        ("a\ud800", "\\ud800"),
        (2**63 - 1, None),
        ("ä", None),
        (0.5, None),
    ],
)
def test_cells_that_no_column_can_hold_are_named(cell: Any, word: str | None) -> None:
    fault = fault_of(cell)
    assert fault is None if word is None else word in str(fault)


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        ([1.5, float("nan")], [1.5, None]),
        (["a", None], ["a", None]),
        (["a", 1, float("nan")], ["a", "1", None]),
    ],
)
def test_missing_cells_become_nulls_and_mixed_ones_words(cells: list[Any], read: list[Any]) -> None:
    assert to_arrow(pd.Series(cells)).to_pylist() == read


def test_a_data_frame_is_one_block_whatever_its_index_and_types() -> None:
    frame = pd.DataFrame({"kind": pd.Categorical(["x", "y"]), 3: [1, 2]}, index=[9, 9])
    block = frame_rows(frame)
    assert {name: cells.to_pylist() for name, cells in block.columns.items()} == {"kind": ["x", "y"], "3": [1, 2]}
    assert not pa.types.is_dictionary(block.columns["kind"].type)
