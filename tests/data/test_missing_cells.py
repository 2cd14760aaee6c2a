from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dltrain.data.cells import to_arrow
from dltrain.data.missing_cells import WORDS, Missing


@pytest.mark.parametrize(
    ("words", "cells", "left"),
    [
        ([], ["a", "", " ", "NA", " n/a ", "nan", "none", None], ["a", None, None, None, None, None, "none", None]),
        (["?"], [" ?", "??", "\u00a0?"], [None, "??", None]),
        (["-999"], ["-999", "-999.0", " -9.99e2", "-9990", "x-999"], [None, None, None, "-9990", "x-999"]),
        (["-999.0"], [-999, 999], [None, 999]),
        ([-999], [-999.0, 0.5], [None, 0.5]),
        (["?"], [1.0, 2.0], [1.0, 2.0]),
        (["?"], [True, False], [True, False]),
    ],
)
def test_what_is_missing_is_null_and_blanks_are_gone(words: list[object], cells: list[Any], left: list[Any]) -> None:
    for given in (pa.array(cells), pa.chunked_array([cells[:1], cells[1:]])):
        assert Missing.of(words).mark(given).to_pylist() == left


def test_whole_numbers_beyond_float_stay_exact() -> None:
    cells = pa.array(np.array([2**53 + 1, 7]))
    assert Missing.of(["7"]).mark(cells).to_pylist() == [2**53 + 1, None]


def test_the_usual_words_are_those_of_pandas() -> None:
    lines = "a,b\n" + "".join(f"{word},1\n" for word in WORDS)
    assert pd.read_csv(io.StringIO(lines))["a"].isna().all()


@pytest.mark.parametrize("word", ["", " NA", "?", "-999", "-999.0", "red", "-99", "-999x"])
def test_a_single_word_is_missing_where_a_cell_is(word: str) -> None:
    missing = Missing.of(["?", "-999"])
    assert missing.holds(word) == bool(missing.mark(to_arrow([word])).null_count)
