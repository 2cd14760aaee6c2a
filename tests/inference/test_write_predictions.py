from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.inference.write_predictions import choose_format, write_tables

TABLES = [
    pa.table({"row": [1, 2], "=name": ["a", "=1"], "value": [0.1, None]}),
    pa.table({"row": [3], "=name": ["ä"], "value": [1e-9]}),
]


@pytest.mark.parametrize(
    ("output", "asked", "expected"),
    [
        (None, None, "csv"), ("a.PARQUET", None, "parquet"), ("a.ndjson", None, "jsonl"), ("a.txt", None, "csv"),
        ("a.parquet", "jsonl", "jsonl"),
    ],
)  # fmt: skip
def test_format_is_the_asked_one_or_that_of_the_suffix(output: str | None, asked: str | None, expected: str) -> None:
    assert choose_format(output, asked) == expected


def test_csv_has_one_header_and_no_formula(tmp_path: Path) -> None:
    write_tables(TABLES, str(tmp_path / "out"), "csv")
    assert (tmp_path / "out").read_text() == """"row","'=name","value"\n1,"a",0.1\n2,"'=1",\n3,"ä",1e-9\n"""


def test_json_lines_and_parquet_keep_every_value(tmp_path: Path) -> None:
    write_tables(TABLES, str(tmp_path / "lines"), "jsonl")
    write_tables(TABLES, str(tmp_path / "parquet"), "parquet")
    expected = pa.concat_tables(TABLES)
    assert pa.parquet.read_table(tmp_path / "parquet").equals(expected)
    lines = [json.loads(line) for line in (tmp_path / "lines").read_text().splitlines()]
    assert lines == expected.to_pylist()


def test_output_that_cannot_be_is_refused_and_nothing_half_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="is a folder; expected a file"):
        write_tables(TABLES, str(tmp_path), "csv")
    with pytest.raises(DataError, match="cannot be written"):
        write_tables(TABLES, "/proc/none/out", "csv")

    def broken() -> Any:
        yield TABLES[0]
        raise DataError("row 3")

    with pytest.raises(DataError, match="row 3"):
        write_tables(broken(), str(tmp_path / "out"), "csv")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: True, buffer=io.BytesIO(), flush=lambda: None))
    with pytest.raises(ConfigError, match="Parquet is not text for a terminal"):
        write_tables(TABLES, None, "parquet")


def test_standard_output_holds_no_control_character(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    table = pa.table({"na\x1bme": ["\x1b[31m", "\u202eä"]})
    write_tables([table], None, "csv")
    assert capfdbinary.readouterr().out.decode() == '"na\\x1bme"\n"\\x1b[31m"\n"\\u202eä"\n'
    write_tables([table], None, "jsonl")
    shown = capfdbinary.readouterr().out.decode().splitlines()
    assert [json.loads(line) for line in shown] == table.to_pylist()
    assert "\\u202e" in shown[1]
