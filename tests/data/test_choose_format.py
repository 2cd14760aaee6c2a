import numpy as np
import pyarrow as pa
import pytest

from dltrain.base.errors import DataError
from dltrain.data.choose_format import NOTHING_GIVEN, Given, choose_format
from dltrain.data.number_format import NumberFormat
from dltrain.data.raw_table import RawTable


def table_of(words: list[str], separator: str | None) -> RawTable:
    column = pa.chunked_array([pa.array(words)])
    return RawTable("t.csv", {"Price (EUR), gross": column}, np.arange(2, len(words) + 2), separator=separator)


def choose(words: list[str], separator: str | None = ",", given: Given = NOTHING_GIVEN) -> tuple[NumberFormat, str]:
    found = choose_format(table_of(words, separator), "Price (EUR), gross", pa.array(words), given)
    assert found is not None
    return found


OPEN = ["4,318", "5,100"]


def test_commas_in_a_comma_separated_file_are_thousands_and_the_other_reading_is_told() -> None:
    chosen, note = choose(OPEN)
    assert chosen == NumberFormat("point", "comma")
    assert note == (
        "Price (EUR), gross: numbers with commas between thousands, '4,318' is 4318; 4.318 with "
        r"'dataset.decimal={Price \(EUR\)\, gross: comma}'."
    )


@pytest.mark.parametrize("separator", [";", "\t", None])
def test_under_another_separator_it_is_open_and_refused_with_both_commands(separator: str | None) -> None:
    with pytest.raises(DataError) as caught:
        choose(OPEN, separator)
    assert str(caught.value).endswith(
        r"leaves open what '4,318' is: 4318 with 'dataset.thousands={Price \(EUR\)\, gross: comma}', or 4.318 with "
        r"'dataset.decimal={Price \(EUR\)\, gross: comma}'. dataset.thousands=comma is for all columns."
    )


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_given_mark_decides_for_all_columns_or_for_one(separator: str) -> None:
    for marks in ("comma", {"Price (EUR), gross": "comma", "other": "point"}):
        assert choose(OPEN, separator, Given(decimal=marks))[0] == NumberFormat("comma")
        assert choose(OPEN, separator, Given(thousands=marks))[0] == NumberFormat("point", "comma")


@pytest.mark.parametrize("separator", [",", ";"])
def test_cells_that_leave_nothing_open_decide_under_every_separator(separator: str) -> None:
    assert choose(["4,318", "5,10"], separator)[0] == NumberFormat("comma")
    assert choose(["4,318", "5.10"], separator)[0] == NumberFormat("point", "comma")
    assert choose(["1.5", "2"], separator) == (NumberFormat(), "")


def test_two_ways_in_one_column_are_refused_by_line_with_what_can_be_done() -> None:
    with pytest.raises(DataError) as caught:
        choose(["3", "1,5", "1.5"])
    assert "'1.5' in t.csv line 4 and '1,5' in t.csv line 3" in str(caught.value)
    assert r"'dataset.kinds={Price \(EUR\)\, gross: category}' or 'dataset.kinds={" in str(caught.value)


def test_marks_that_are_none_are_named() -> None:
    faults = Given(decimal={"a": "dot"}, thousands="semicolon").faults()
    assert [fault.split(":")[0] for fault in faults] == ["dataset.decimal", "dataset.thousands"]


POINTS = ["18.568", "3.963", "950"]


def test_points_beside_a_column_with_decimal_commas_may_be_thousands_and_are_refused_with_both_commands() -> None:
    rooms = pa.chunked_array([pa.array(["6,6", "5,25", "7"])])
    table = RawTable("t.csv", {"price": pa.chunked_array([pa.array(POINTS)]), "rooms": rooms}, separator=";")
    with pytest.raises(DataError) as caught:
        choose_format(table, "price", pa.array(POINTS), NOTHING_GIVEN)
    assert str(caught.value).endswith(
        "leaves open what '18.568' is: 18568 with 'dataset.thousands={price: point}', or 18.568 with "
        "'dataset.decimal={price: point}'. dataset.thousands=point is for all columns."
    )
    for given, expected in (
        (Given(thousands="point"), NumberFormat("comma", "point")),
        (Given(decimal={"price": "point"}), NumberFormat()),
    ):
        found = choose_format(table, "price", pa.array(POINTS), given)
        assert found is not None
        assert found[0] == expected


def test_many_cells_of_three_decimals_beside_whole_numbers_may_be_thousands() -> None:
    decimals = [f"{number / 1000:.3f}" for number in range(1000, 9000, 100)]
    assert choose(decimals)[0] == NumberFormat()  # a program cuts every number to three decimals
    assert choose(POINTS)[0] == NumberFormat()  # too few cells to tell
    with pytest.raises(DataError, match=r"leaves open what '1\.000' is: 1000 with"):
        choose([*decimals, "950"])


@pytest.mark.parametrize("separator", [";", None])
def test_many_cells_with_three_digits_behind_the_comma_beside_short_ones_are_thousands(separator: str | None) -> None:
    words = [f"€{number:,}" for number in range(400, 8_000, 7)]
    chosen, note = choose(words, separator)
    assert chosen == NumberFormat("point", "comma", "€")
    assert "dataset.decimal=" in note  # the other reading is told
    with pytest.raises(DataError, match="leaves open"):
        choose([word for word in words if "," in word], separator)
