import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from dltrain.data.cells import to_arrow
from dltrain.data.column_reading import ColumnReading, spelling_of
from dltrain.data.number_format import NumberFormat

CAFE = [unicodedata.normalize(form, "café") for form in ("NFC", "NFD")]


def test_numbers_of_text_and_of_types_are_the_same() -> None:
    reading = ColumnReading(NumberFormat("comma", "point"))
    np.testing.assert_array_equal(reading.number_values(to_arrow(["1.234,5", None, "x"])), [1234.5, np.nan, np.nan])
    np.testing.assert_array_equal(reading.number_values(to_arrow([1234.5, None])), [1234.5, np.nan])
    np.testing.assert_array_equal(reading.number_values(to_arrow([True, False])), [1, 0])
    assert np.isnan(reading.number_values(to_arrow([["list"]]))).all()


def test_both_unicode_spellings_are_one_word() -> None:
    assert ColumnReading().words(to_arrow([*CAFE, None])).to_pylist() == ["café", "café", None]


@pytest.mark.parametrize(
    ("words", "spelling", "spelled"),
    [
        (["1.0", "2.", "03"], "whole", ["1", "2", "03"]),
        (["true", "FALSE"], "truth", ["True", "False"]),
        (["1.0", "x"], "", ["1.0", "x"]),
        (["true", "maybe"], "", ["true", "maybe"]),
    ],
)
def test_spelling_follows_from_all_words(words: list[str], spelling: str, spelled: list[str]) -> None:
    assert spelling_of(pa.array([*words, None])) == spelling
    assert ColumnReading(spelling=spelling).words(to_arrow(words)).to_pylist() == spelled


def test_whole_numbers_of_a_text_may_stand_beside_others() -> None:
    words = pa.array(["3.0", "2.50", None])
    assert spelling_of(words) == ""
    assert spelling_of(words, fractions=True) == "whole"
    assert spelling_of(pa.array(["3.0", "v2.5"]), fractions=True) == ""


def test_a_spelling_leaves_other_words_as_they_are() -> None:
    assert ColumnReading(spelling="whole").words(to_arrow(["x", "1.5"])).to_pylist() == ["x", "1.5"]
    assert ColumnReading(spelling="truth").words(to_arrow(["maybe"])).to_pylist() == ["maybe"]
