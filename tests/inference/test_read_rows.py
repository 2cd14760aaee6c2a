from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dltrain.base.errors import DataError
from dltrain.data.reading import Reading
from dltrain.inference.read_rows import read_rows
from dltrain.inference.row_inputs import RowInputs
from dltrain.record.signature import Column, Signature

SIGNATURE = Signature(
    (
        Column("n", "numeric", "n", dtype="float64", minimum=0.0, maximum=9.0),
        Column("w", "category", "w", words=("a",)),
        Column("t", "text", "t"),
    ),
    ("y",),
    "regression",
)


def inputs_of(path: Path, line: str) -> Any:
    path.write_text('{"n": 1, "w": "a", "t": "b", "x": null}\n\n' + line + "\n")
    row_inputs = RowInputs(SIGNATURE)
    return [
        row_inputs.inputs(block)
        for block in read_rows(str(path), file_format=None, reading=Reading(), only_column="n", kind="table")
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f'{{"n": 1, "w": {2**63}, "t": "b"}}', r"line 3, column 'w': expected a whole number within 64"),
        (f'{{"n": {10**24}, "w": "a", "t": "b"}}', r"line 3, column 'n': expected a whole number within 64"),
        ('{"n": 1, "w": "\\ud800", "t": "b"}', r"line 3, column 'w': holds half a character"),
        ('{"n": 1e308, "w": "a", "t": "b"}', r"line 3, column 'n': 1e\+308 is too large; expected at most 3.1e\+39"),
        ('{"n": 1, "w": "a", "t": ' + "[" * 5_000 + "]" * 5_000 + "}", "line 3 is nested too deeply"),
        ('{"n": 1, "w": "a", "t": ' + "1" * 5_000 + "}", "line 3 is not JSON"),
        ('{"n": 1, "w": ["a"], "t": "b"}', r"line 3, column 'w': expected one value, got a list"),
        ('{"n": 1, "w": {"a": 1}, "t": "b"}', r"line 3, column 'w': expected one value"),
        (
            f'{{"n": 1, "w": "a", "t": "b", "x": [{10**24}]}}',
            "column 'x': lists or objects that differ, or with a number",
        ),
    ],
)
def test_json_that_no_model_can_take_is_told_by_row_and_column(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        inputs_of(tmp_path / "rows.jsonl", line if '"x"' in line else line[:-1] + ', "x": 1}')


def test_cells_of_extra_columns_may_be_nested(tmp_path: Path) -> None:
    (found,) = inputs_of(tmp_path / "rows.jsonl", '{"n": 1, "w": "a", "t": "b", "x": [[1]]}')
    assert found["n"].shape == (2, 1)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("n;w;t\n1;a;b\n", ()),
        ("n,w,t\n1,a,b\n", ("separator: comma; that of the training data is semicolon.",)),
        ("n\n1\n", ()),
    ],
)
def test_another_separator_than_that_of_the_training_data_is_told(text: str, notes: Any, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    reading = Reading(likely_separator=";")
    (block,) = read_rows(str(tmp_path / "t.csv"), file_format=None, reading=reading, only_column="n", kind="table")
    assert block.notes == notes
    assert set(block.columns) == set(text.split("\n")[0].replace(",", ";").split(";"))
