import numpy as np
import pytest

from dltrain.base.errors import DataError
from dltrain.data.cells import to_arrow
from dltrain.data.column_values import feature_values
from dltrain.data.kinds import ColumnRules, infer_meaning
from dltrain.data.raw_table import RawTable
from dltrain.data.target_cells import read_target


def one(name: str, values: list[object], **declared: tuple[str, str]) -> RawTable:
    return RawTable("t.csv", {name: to_arrow(values)}, np.arange(2, len(values) + 2), declared)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("x", [0.5, 2.5, np.nan], ("numeric", "")),
        ("rooms", [1.0, 2.0, 2.0, 1.0], ("numeric", "")),
        ("row", [3.0, 1.0, 2.0], ("ignore", "counts the rows")),
        ("row", [3.0, 1.0, np.nan, 2.0], ("numeric", "")),
        ("store_id", [3.0, 3.0, 9.0], ("ignore", "an identifier by its name")),
        ("customerID", [3.0, 8.0, 9.0], ("ignore", "an identifier by its name")),
        ("PassengerId", [3.0, 8.0, 9.0], ("ignore", "an identifier by its name")),
        ("humid", [3.0, 8.0, 9.0], ("numeric", "")),
        ("id", [0.25, 0.75, 0.5], ("numeric", "")),
        ("x", [1.0, 1.0, 1.0], ("ignore", "one value alone")),
        ("x", [1.0, np.nan, 1.0], ("numeric", "")),
        ("x", [None, None], ("ignore", "empty")),
        ("sex", ["m", "f", "m", None], ("category", "")),
        ("key", ["ab1", "ab2", "zz", "q"], ("ignore", "nearly all values differ")),
        ("zip", ["12", "13", "12", "13"], ("numeric", "")),
        ("day", ["2020-01-31", "2020-02-28"], ("date", "")),
        ("day", ["31.01.2020", "28.02.2020", None], ("date", "")),
        ("day", ["Jan 31, 2020", "Feb 28, 2020"], ("date", "")),
        ("version", ["45.99.10", "45.99.10", "46.99.10"], ("category", "")),
        ("note", ["one two three four five " + str(i) for i in range(5)], ("text", "")),
        ("city", [f"c{i % 40}" for i in range(200)], ("category", "")),
        ("city", [f"c{i}" for i in range(200)], ("ignore", "nearly all values differ")),
    ],
)
def test_kind(name: str, values: list[object], expected: tuple[str, str]) -> None:
    found = infer_meaning(one(name, values), name)
    assert (found.kind, found.reason) == expected


def test_dates_with_a_word_among_them_are_refused_and_earlier_runs_ignored_dates() -> None:
    days: list[object] = [f"2020-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 6)]
    with pytest.raises(DataError, match=r"line 62: '2020-13-01'\. .*'dataset.kinds="):
        infer_meaning(one("day", [*days, "2020-13-01"]), "day")
    earlier = infer_meaning(one("day", days), "day", rules=ColumnRules(version=1))
    assert (earlier.kind, earlier.reason) == ("ignore", "dates")


def test_numbers_with_a_word_among_them_are_refused() -> None:
    table = one("power", [*(str(i + 0.5) for i in range(50)), "?"])
    with pytest.raises(DataError, match=r"""line 52: '\?'\. .*'dataset.missing_values=\["\?"\]'; .*'dataset.kinds="""):
        infer_meaning(table, "power")


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        (["1,5", "2,5", "3"], "price: numbers with decimal comma, '1,5' is 1.5."),
        (["1,200", "1,200.50", "900"], "price: numbers with commas between thousands, '1,200.50' is 1200.5."),
        (["1.200,5", "2.200,5", "-3"], "price: numbers with decimal comma and points between thousands, '1.200,5' "),
        (["$437.58", "$2"], "price: numbers with the sign $, '$437.58' is 437.58."),
        (["24%", "0.5%"], "price: numbers with the sign %, '0.5%' is 0.5."),
        (["1e3", "2.5"], ""),
    ],
)
def test_numbers_as_people_write_them_are_numbers_and_told(cells: list[object], note: str) -> None:
    found = infer_meaning(one("price", cells), "price")
    assert found.kind == "numeric"
    assert found.note.startswith(note)
    assert bool(note) == bool(found.note)


def test_runs_of_before_took_for_numbers_what_a_program_writes() -> None:
    assert infer_meaning(one("price", ["1,5", "2,5", "1,5"]), "price", None, ColumnRules(version=1)).kind == "category"


def test_declared_kinds_win_over_cells() -> None:
    assert infer_meaning(one("g", ["1", "2", "1"], g=("category", "declared")), "g").kind == "category"


def test_category_of_numbers_has_no_decimal_point() -> None:
    assert list(feature_values(one("x", [1.0, np.nan, 2.5, -3.0]), "x", "category")) == ["1", "", "2.5", "-3"]


def test_declared_classes_stay_words_unless_zero_and_one() -> None:
    declared = ("category", "declared")
    assert list(read_target(one("y", ["1", "3", None], y=declared), "y").values) == ["1", "3", None]
    np.testing.assert_array_equal(read_target(one("y", ["1", "0", None], y=declared), "y").values, [1.0, 0.0, np.nan])
    np.testing.assert_array_equal(read_target(one("y", ["1", "3", None]), "y").values, [1.0, 3.0, np.nan])
