from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.raw_table import RawTable, join
from dltrain.data.read_table import read_blocks, read_table
from dltrain.data.reading import Reading
from dltrain.data.separators import detect_separator
from dltrain.data.source_stream import Source


def table(text: str, *, separator: str | None = None, header: bool = True) -> RawTable:
    return join(list(blocks(text, separator=separator, header=header)))


def blocks(text: str, **reading: Any) -> Iterator[RawTable]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        path.write_bytes(text.encode())
        yield from read_blocks(Source(path), Reading(**reading), "csv")


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ('"a, b";c\n"1, 2";3\n', ";"),
        ("a\tb\nsome words here\t2\n", "\t"),
        ("a|b\n1|2\n", "|"),
        (" 0.1  18.0   2\n 10.2   0.0 3\n", " "),
        ("note,y\na long sentence, unquoted,1\nfine,0\n" + "good,1\n" * 20, ","),
        ("alone\n1\n2\n", ","),
    ],
)
def test_separator_is_detected(text: str, separator: str) -> None:
    assert detect_separator(text) == separator


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("1,5;2,5;3,5\n", ";"),  # four fields by the comma
        ("a;b,c;d\n1;2,3;4\n", ";"),
        ("a,b\n1,2\n", ","),
        ("a;b, c,d\n1,2,3\n4,5,6\n", ","),
        ("alone\n1\n", ";"),
    ],
)
def test_likely_separator_comes_first_where_it_splits(text: str, separator: str) -> None:
    assert detect_separator(text, likely=";") == separator


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n\n1,2,3\n", "line 4: expected 2 fields as in the first line, got 3"),
        ("a b\n1 2\n1\n", r"line 3: expected 2 fields .*\(separator: whitespace\)"),
        ("a,b\n1,2\n1\n", "line 3: expected 2 fields as in the first line, got 1"),
        ('a,b\n"x\ny",2\n1,2,3\n', "line 4: expected 2 fields"),
        ('a,b\n1,2\n3,"x\n4,5\n', "line 3: a quote .* never closed"),
        ('a,b\n1,"x"y\n', "line 2: text follows the quote .* at the end .* dataset.quoting=none"),
        ("a,b\n", "a header and no rows"),
        ("a,b,a\n1,2,3\n", r"two columns are named 'a' \(fields 1 and 3\)"),
        ("1,1\n2,3\n", "dataset.header=false"),
    ],
)
def test_faults_name_the_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        table(text)


def test_lines_are_those_of_the_file() -> None:
    read = table('\na,b\n"x\ny",2\n   \n3,4\n')
    assert read.lines is not None
    assert list(read.lines) == [3, 6]
    assert read.where(1) == "t.csv line 6"


def test_without_header_columns_are_numbered() -> None:
    read = table("1 2\n3 4\n", header=False)
    assert list(read.columns) == ["column_1", "column_2"]
    assert read.columns["column_2"].to_pylist() == [2, 4]


def test_a_column_without_a_name_gets_one() -> None:
    assert list(table(",b\n1,2\n").columns) == ["column_1", "b"]


@pytest.mark.parametrize("separator", ["tab", "\t", "\\t"])
def test_separators_have_names(separator: str) -> None:
    assert list(table("a\tb\n1\t2\n", separator=separator).columns) == ["a", "b"]


def test_a_cell_longer_than_the_csv_module_expects() -> None:
    cell = "word " * 40_000
    assert table(f"a,b\n{cell},2\n").columns["a"][0].as_py().strip() == cell.strip()


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5), st.sampled_from([",", ";", "\t", "|"]))
def test_what_the_csv_module_writes_is_read_back(rows: list[tuple[str, str]], separator: str) -> None:
    buffer = io.StringIO(newline="")
    # The letter keeps cells from meaning a number or a missing value.
    cells = [(f"w{a}", f"w{b}") for a, b in rows]
    csv.writer(buffer, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *cells])
    read = table(buffer.getvalue(), separator=separator)
    found = zip(read.columns["a"].to_pylist(), read.columns["b"].to_pylist(), strict=True)
    assert list(found) == [(a.strip(), b.strip()) for a, b in cells]


@pytest.mark.parametrize(
    ("quoting", "text", "cells"),
    [
        (None, 'a,b\n"x, y",1\n', ["x, y"]),
        ("double", 'a,b\n"x ""y""",1\n', ['x "y"']),
        ("single", "a,b\n'x, \"y',1\n", ['x, "y']),
        ("none", 'a,b\n"x" y,1\n5" disk,2\n', ['"x" y', '5" disk']),
        ("none", "a;b\n'x;1\n", ["'x"]),
    ],
)
def test_quotes_are_those_that_are_given(tmp_path: Path, quoting: str | None, text: str, cells: list[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    assert read_table(str(path), words=["a"], quoting=quoting).columns["a"].to_pylist() == cells


def test_other_quotes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match=r"dataset\.quoting: expected double, single, none, got 'triple'"):
        read_table(str(tmp_path / "t.csv"), quoting="triple")
