from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Any

import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.cells import words
from dltrain.data.read_table import read_table

openpyxl = pytest.importorskip("openpyxl")


def write(path: Path, rows: list[list[Any]], *more: str) -> str:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name in more:
        book.create_sheet(name)
    book.save(path)
    return str(path)


def test_the_first_sheet_is_read_with_its_types(tmp_path: Path) -> None:
    day = datetime.datetime(2020, 1, 31)
    rows = [[], ["a", "b", None, "d"], [1, "007 ", None, day], [], [2.5, None, "x", None], ["=1/0", "NA", None, None]]
    table = read_table(write(tmp_path / "t.xlsx", rows, "other"))
    assert {name: words(cells).to_pylist() for name, cells in table.columns.items()} == {
        "a": ["1", "2.5", None],
        "b": ["007", None, None],
        "column_3": [None, "x", None],
        "d": ["2020-01-31 00:00:00", None, None],
    }
    assert table.where(1) == "t.xlsx line 5"
    assert table.notes == ("sheet 'Sheet' is read; 1 more are not.",)


def test_a_sheet_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no rows below a line of names"):
        read_table(write(tmp_path / "t.xlsx", [["a"]]))


def test_without_openpyxl_the_command_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t.xlsx", [["a"], [1]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ConfigError, match=r"dltrain-keras\[excel\]"):
        read_table(path)
