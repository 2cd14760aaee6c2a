from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from dltrain.data.missing_cells import Missing
from dltrain.inference.rows import RawRows, frame_rows, sliced


def test_blocks_hold_every_row_once_under_its_own_number() -> None:
    whole = RawRows({"a": pa.array(range(7)), "b": np.arange(14).reshape(7, 2)}, 10, "rows.csv")
    blocks = list(sliced(whole, 3))
    assert [len(block) for block in blocks] == [3, 3, 1]
    assert [cell for block in blocks for cell in block.columns["a"].to_pylist()] == list(range(7))
    assert blocks[1].where(2) == whole.where(5) == "rows.csv row 16"
    named = RawRows({"a": pa.array(range(3))}, 0, "folder", names=["x.png", "y.png", "z.png"])
    assert list(sliced(named, 2))[1].where(0) == "z.png"
    assert len(RawRows({}, 0, "nothing")) == 0


def test_a_data_frame_is_one_block_whatever_its_index_and_types() -> None:
    frame = pd.DataFrame({"kind": pd.Categorical(["x", "y"]), 3: [1, -1]}, index=[9, 9])
    block = frame_rows(frame, Missing.of([-1]))
    assert {name: cells.to_pylist() for name, cells in block.columns.items()} == {"kind": ["x", "y"], "3": [1, None]}
    assert not pa.types.is_dictionary(block.columns["kind"].type)
