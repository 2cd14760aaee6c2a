from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from dltrain.base.errors import DataError
from dltrain.data import json_lines
from dltrain.data.json_lines import fault_of
from dltrain.data.raw_table import join
from dltrain.data.reading import Reading
from dltrain.data.source_stream import Source


def blocks(text: str) -> list[Any]:
    return list(json_lines.blocks(Source(Path("rows.jsonl")), io.BytesIO(text.encode()), Reading()))


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


def test_lines_are_counted_and_blocks_are_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "ROWS", 1)
    found = blocks('{"a": 9007199254740993, "b": null}\n\n{"a": 2, "b": "x", "c": 1}\n')
    assert [block.where(0) for block in found] == ["rows.jsonl line 1", "rows.jsonl line 3"]
    columns = join(found).columns
    assert {name: cells.to_pylist() for name, cells in columns.items()} == {"a": [2**53 + 1, 2], "b": [None, "x"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "rows.jsonl has no rows"),
        ("[1]\n", "line 1: expected an object"),
        ('{"a": 1}\n{"b": 1}\n', "line 2 has no 'a'; null stands for a missing value"),
        ('{"a": 1\n', "line 1 is not JSON"),
    ],
)
def test_faults_name_the_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        blocks(text)
