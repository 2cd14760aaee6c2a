from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dltrain.data.number_format import MARKS, MixedNumbersError, NumberFormat, fitting

WRITTEN = {"point": ".", "comma": ",", "blank": "\u202f", "apostrophe": "\u2019", "": ""}


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["1", "2.5", "-3", "+4", "5.", ".5", "1e3", "2E-2"], [1, 2.5, -3, 4, 5, 0.5, 1000, 0.02]),
        (["3,5", "-4", ",5"], [3.5, -4, 0.5]),
        (["1,234,567", "900"], [1234567, 900]),
        (["1,23,456", "1,000"], [123456, 1000]),
        (["1,234.5", "1,000"], [1234.5, 1000]),
        (["1,234", "0,500"], [1.234, 0.5]),
        (["1.234,5", "1.000"], [1234.5, 1000]),
        (["1 234,5", "1\u00a0000", "2\u202f000"], [1234.5, 1000, 2000]),
        (["1'234.5", "1’000"], [1234.5, 1000]),
        (["$437.58", "-$1", "$ -2", "3 $", "4"], [437.58, -1, -2, 3, 4]),
        (["1.234,50 €", "2 €"], [1234.5, 2]),
        (["24%", "5.5 %", "0"], [24, 5.5, 0]),
        (["\u22125", "1e\u22123"], [-5, 0.001]),
    ],
)
def test_numbers_as_people_write_them(words: list[str], numbers: list[float]) -> None:
    text = pa.array(words)
    (found,) = fitting(text)
    assert found.parse(text).to_pylist() == numbers
    assert found.parse(pa.array([None, "no number", words[0]])).to_pylist() == [None, None, numbers[0]]


@pytest.mark.parametrize(
    "word", ["abc", "1.2.3", "5,", "1 5", "12,34,5", "$", "%", "1 2 3", "--5", "1e", "5-", "e5", "€5$"]
)
def test_other_words_are_no_numbers(word: str) -> None:
    assert fitting(pa.array(["1.5", word])) == []


@pytest.mark.parametrize("words", [["1,5", "1.5"], ["24%", "0.24"], ["€5", "$5"], ["1.234.567", "2,345,678"]])
def test_words_that_demand_different_formats(words: list[str]) -> None:
    with pytest.raises(MixedNumbersError) as caught:
        fitting(pa.array(words))
    assert {caught.value.one, caught.value.other} == set(words)


def test_thousands_or_decimals_stay_open_unless_a_mark_is_given() -> None:
    words = pa.array(["1,234", "5"])
    assert [each.parse(words).to_pylist() for each in fitting(words)] == [[1234, 5], [1.234, 5]]
    assert fitting(words, decimal="comma")[0] == NumberFormat("comma")
    assert fitting(words, thousands="comma")[0] == NumberFormat("point", "comma")
    assert fitting(pa.array(["1.234"]))[0].plain
    assert fitting(pa.array(["1.234"]), thousands="point")[0] == NumberFormat("comma", "point")
    # A given mark is one of decimals only where it can be.
    assert fitting(pa.array(["12.5"]), decimal="comma")[0].plain


@settings(max_examples=200, deadline=None)
@given(
    numbers=st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=5),
    places=st.integers(0, 5),
    decimal=st.sampled_from(["point", "comma"]),
    thousands=st.sampled_from(["", *MARKS]),
    sign=st.sampled_from(["", "€{}", "{} %", "£ {}"]),
)
def test_what_a_format_writes_is_read_by_it(
    numbers: list[int], places: int, decimal: str, thousands: str, sign: str
) -> None:
    if decimal == thousands:
        return

    def write(number: int) -> str:
        digits = f"{abs(number) / 10**places:,.{places}f}"
        marked = digits.replace(",", "_").replace(".", WRITTEN[decimal]).replace("_", WRITTEN[thousands])
        return ("\u2212" if number < 0 else "") + (sign or "{}").format(marked)

    words = pa.array([write(number) for number in numbers])
    expected = [float(f"{number / 10**places:.{places}f}") for number in numbers]
    own = NumberFormat(decimal, thousands, sign.replace("{}", "").strip())
    assert own.parse(words).to_pylist() == expected
    found: Any = fitting(pa.array(dict.fromkeys(words.to_pylist())), decimal, thousands)
    assert found[0].parse(words).to_pylist() == expected
