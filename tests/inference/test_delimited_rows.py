from __future__ import annotations

import io
from typing import Any

import pytest

from dltrain.base.errors import DataError
from dltrain.inference.delimited_rows import delimited


def read(content: bytes, **reading: Any) -> dict[str, list[Any]]:
    blocks = list(delimited(io.BufferedReader(io.BytesIO(content)), None, "rows.csv", reading))  # type: ignore[arg-type]
    return {name: [cell for block in blocks for cell in block.columns[name].to_pylist()] for name in blocks[0].columns}


@pytest.mark.parametrize(
    ("content", "reading"),
    [
        (b"a,b\n1,x\n,y\n", {}),
        (b"\xef\xbb\xbfa;b\r\n1;x\r\n;y\r\n", {}),
        ("a\tb\n1\tx\nNA\ty\n".encode("utf-16"), {}),
        (b"a|b\n1|x\n?|y\n", {"separator": "|", "missing_values": ["?"]}),
    ],
)
def test_separator_encoding_and_missing_cells_are_found(content: bytes, reading: dict[str, Any]) -> None:
    assert read(content, **reading) == {"a": ["1", None], "b": ["x", "y"]}


def test_quoted_line_breaks_and_characters_outside_of_utf_8_are_read() -> None:
    assert read('a,b\né,"1\n2"\n'.encode("cp1252")) == {"a": ["é"], "b": ["1\n2"]}


def test_without_a_header_columns_are_numbered() -> None:
    assert read(b"1,x\n2,y\n", header=False) == {"column_1": ["1", "2"], "column_2": ["x", "y"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "rows.csv is empty"),
        (b"a,b\n", "a header and no rows"),
        (b"a,b\n1,2\n1,2,3\n", "cannot be read as a table after row"),
    ],
)
def test_a_file_that_is_no_table_is_named(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(content)
