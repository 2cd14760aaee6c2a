from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltrain.data.record_ends import last_end, record_lines


@pytest.mark.parametrize(
    ("content", "final", "end"),
    [
        (b"1,2\n3,", False, 4),
        (b"1,2\n3,", True, 6),
        (b"1,2", False, 0),
        (b'1,"a\nb', False, 0),
        (b'1,2\n3,"a\nb', False, 4),
        (b'1,"a\nb"\n3', False, 8),
        (b'1,"say ""a"""\n3', False, 14),
        (b'1,"a\nb', True, None),
        (b'1,5" wide\n', False, None),
        (b'1, "a"\n', False, None),
        (b'1,"a"b\n', False, None),
        (b"1\r2\r\n", False, None),
        (b"1,2\r\n3\r", False, 5),
    ],
)
def test_whole_records_end_outside_of_quotes(content: bytes, final: bool, end: int | None) -> None:
    assert last_end(content, b",", final=final) == end


CELLS = st.text(st.sampled_from('a ,"\n'), max_size=4)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_records_start_on_the_lines_that_the_csv_module_counts(rows: list[tuple[str, str]], ending: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(rows)
    content = text.getvalue().encode()
    reader = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
    starts = [0, *(reader.line_num for _ in reader)][:-1]
    assert last_end(content, b",", final=False) == len(content)
    assert record_lines(content, len(rows)).tolist() == starts


def test_lines_of_blanks_are_no_records() -> None:
    assert record_lines(b'1,2\n \n\r\n3,"4\n5"\n6,7', 3).tolist() == [0, 3, 5]
