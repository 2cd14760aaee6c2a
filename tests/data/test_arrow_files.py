from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from dltrain.base.errors import DataError
from dltrain.data import arrow_files
from dltrain.data.cells import words
from dltrain.data.read_table import read_blocks, read_table
from dltrain.data.reading import Reading
from dltrain.data.source_stream import Source

COLUMNS = {
    "whole": pa.array([2**53 + 1, None, 7]),
    "price": pa.array([1, None, 250], pa.int64()).cast(pa.decimal128(21, 2)),
    "day": pa.array([0, 1, None], pa.date32()),
    "level": pa.array(["low ", None, "NA"]).dictionary_encode(),
    "a.b": pa.array([True, None, False]),
}


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.arrow", "t.bin", "t.parquet.gz"])
def test_types_keep_every_digit(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_files, "LEAST_ROWS", 2)
    path = tmp_path / name
    if name.endswith((".feather", ".arrow")):
        pa.feather.write_feather(pa.table(COLUMNS), path)
    else:
        pa.parquet.write_table(pa.table(COLUMNS), path)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert [len(block) for block in read_blocks(Source(path), Reading(bytes_at_once=1))] == [2, 1]
    table = read_table(str(path))
    assert {name: words(cells).to_pylist() for name, cells in table.columns.items()} == {
        "whole": [str(2**53 + 1), None, "7"],
        "price": ["1", None, "250"],
        "day": ["1970-01-01", "1970-01-02", None],
        "level": ["low", None, None],
        "a.b": ["True", None, "False"],
    }
    assert table.declared == {"level": ("category", "declared in the file")}


@pytest.mark.parametrize("write", ["to_parquet", "to_feather"])
def test_a_file_without_rows_is_refused(tmp_path: Path, write: str) -> None:
    getattr(pd.DataFrame({"a": [1]}).head(0), write)(tmp_path / "t")
    with pytest.raises(DataError, match="t has no rows"):
        read_table(str(tmp_path / "t"))
