from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from dltrain.data.cells import words
from dltrain.data.missing_cells import Missing
from dltrain.data.reading import Reading


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["007", "+8", " 9 ", "1e3", None], [7.0, 8.0, 9.0, 1000.0, None]),
        (["1", "NA", "-999.0"], [1.0, None, None]),
        (["1", "two", " -999"], ["1", "two", None]),
        (["1,5", "2"], ["1,5", "2"]),
        (["18.568", "950", None], ["18.568", "950", None]),  # may be thousands
        (["18.568", "0.950"], [18.568, 0.95]),
        ([None, "NA"], [None, None]),
    ],
)
def test_text_is_numbers_if_every_cell_is(cells: list[Any], found: list[Any]) -> None:
    read = Reading(missing=Missing.of(["-999"])).written("a", pa.chunked_array([cells], pa.string()))
    assert words(read).to_pylist() == words(pa.chunked_array([found])).to_pylist()
    assert pa.types.is_string(read.type) == any(isinstance(cell, str) for cell in found)


def test_words_that_are_asked_for_stay_as_written() -> None:
    read = Reading(words={"a"}.__contains__).written("a", pa.chunked_array([["007 ", "1.0", ""]]))
    assert read.to_pylist() == ["007", "1.0", None]
