from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.cells import missing
from dltrain.data.read_table import read_table

TEXTS = {
    "t.csv": "a,b\n1,x\n-9,y\n",
    "t.tsv": "a\tb\n1\tx\n-9\ty\n",
    "t.arff": "@relation t\n@attribute a numeric\n@attribute b {x,y}\n@data\n1,x\n-9,y\n",
}


@pytest.mark.parametrize("name", [*TEXTS, "t.parquet", "without_suffix", "t.gz"])
def test_every_format_holds_the_same_columns(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name in TEXTS:
        file.write_text(TEXTS[name])
    else:  # Parquet is known by its first bytes, whatever the name
        pd.DataFrame({"a": [1, -9], "b": ["x", "y"]}).to_parquet(file)
    if name.endswith(".gz"):
        file.write_bytes(gzip.compress(file.read_bytes()))
    table = read_table(str(file), missing_values=["-9"])
    assert table.columns["a"].to_pylist()[0] == 1
    assert missing(table.columns["a"]).tolist() == [False, True]
    assert table.columns["b"].to_pylist() == ["x", "y"]
    assert len(table) == 2


@pytest.mark.parametrize(
    ("name", "keys", "idle"),
    [
        ("t.arff", {"separator": ",", "header": False}, ["dataset.separator", "dataset.header"]),
        ("t.parquet", {"encoding": "utf-8"}, ["dataset.encoding"]),
    ],
)
def test_keys_without_effect_are_named_all_at_once(tmp_path: Path, name: str, keys: Any, idle: list[str]) -> None:
    (tmp_path / name).write_bytes(b"PAR1" if name == "t.parquet" else TEXTS[name].encode())
    with pytest.raises(ConfigError) as caught:
        read_table(str(tmp_path / name), **keys)
    assert [fault.split()[0] for fault in caught.value.faults] == idle


@pytest.mark.parametrize(
    ("name", "sentence"), [("t.ods", r"\.ods files are not read"), ("t.parquet", "cannot be read as Parquet")]
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / name).write_bytes(b"PAR1 and nothing else" if name == "t.parquet" else b"PK")
    with pytest.raises(DataError, match=sentence):
        read_table(str(tmp_path / name))
