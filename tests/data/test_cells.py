from __future__ import annotations

import decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dltrain.data.cells import missing, numbers, to_arrow, word_array, words

BEYOND_FLOAT = 2**53 + 1


@pytest.mark.parametrize(
    ("values", "spelled"),
    [
        ([BEYOND_FLOAT, None], [str(BEYOND_FLOAT), None]),
        (np.array([2**64 - 1], np.uint64), [str(2**64 - 1)]),
        ([2**70], [str(2**70)]),
        ([1.0, 2.5, np.nan, -3.0], ["1", "2.5", None, "-3"]),
        ([decimal.Decimal("2.00"), decimal.Decimal("2.50"), decimal.Decimal("1E+2")], ["2", "2.5", "100"]),
        ([True, None, False], ["True", None, "False"]),
        ([1, "1.0", None], ["1", "1.0", None]),
        (pd.Categorical(["b", None, "a"]), ["b", None, "a"]),
        (pd.Categorical([7, 8, 7]), ["7", "8", "7"]),
        (pd.Series(["x", pd.NA], dtype="string"), ["x", None]),
        (pd.to_datetime(["2020-01-31 10:00"]), ["2020-01-31 10:00:00"]),
        (pd.Series(pd.to_datetime(["2020-01-31"]).date), ["2020-01-31"]),
        ([[1], None], ["[1]", None]),
        (pa.array(["x", None], pa.large_string()), ["x", None]),
        (pa.chunked_array([["x"], ["y", "x"]]), ["x", "y", "x"]),
        ([None, None], [None, None]),
        ([], []),
    ],
)
def test_words_keep_every_digit(values: Any, spelled: list[str | None]) -> None:
    cells = to_arrow(values)
    assert words(cells).to_pylist() == spelled
    assert word_array(cells).tolist() == spelled
    assert missing(cells).tolist() == [word is None for word in spelled]


@pytest.mark.parametrize(
    "values",
    [
        [1, None],
        [1.0, np.nan],
        pd.array([1, None], dtype="Int64"),
        [decimal.Decimal("1.0"), None],
        np.array([1, np.nan], np.float16),
        pa.chunked_array([[1.0], [None]], pa.float64()),
    ],
)
def test_numbers_of_any_type_become_float64(values: Any) -> None:
    found = numbers(to_arrow(values))
    assert found.dtype == np.float64
    assert found.tolist() == pytest.approx([1.0, np.nan], nan_ok=True)
