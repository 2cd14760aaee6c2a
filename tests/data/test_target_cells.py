import unicodedata
from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import DataError
from dltrain.data.cells import to_arrow
from dltrain.data.kinds import ColumnRules
from dltrain.data.raw_table import RawTable
from dltrain.data.target_cells import TargetCells, read_target


def read(cells: list[Any], kind: str | None = None, version: Any = 2) -> TargetCells:
    table = RawTable("t.csv", {"y": to_arrow(cells)}, np.arange(2, len(cells) + 2), separator=",")
    return read_target(table, "y", kind, ColumnRules(version))


def test_numbers_are_read_as_those_of_features() -> None:
    found = read(["2,5", "3,0", None, "NA"])
    np.testing.assert_array_equal(found.values, [2.5, 3, np.nan, np.nan])
    assert found.note == "y: numbers with decimal comma, '2,5' is 2.5."


def test_classes_stay_as_they_stand_in_the_file() -> None:
    assert list(read(["007", "010", "007"]).values) == ["007", "010", "007"]
    np.testing.assert_array_equal(read(["7", "10"]).values, [7.0, 10.0])
    decomposed = unicodedata.normalize("NFD", "Äpfel")
    assert list(read([decomposed, "b"]).values) == [decomposed, "b"]
    assert len(set(read([decomposed, "Äpfel", "b"]).values)) == 2


@pytest.mark.parametrize("word", ["None", "NA", "null"])
def test_a_class_that_is_named_like_a_missing_cell_is_kept_or_refused(word: str) -> None:
    cells = [word, "Mild", "Severe", None, "nan"]
    with pytest.raises(DataError) as caught:
        read(cells)
    assert f"is '{word}' in 1 rows, in t.csv line 2 first" in str(caught.value)
    assert "'dataset.kinds={y: category}'" in str(caught.value)
    assert f"""'dataset.missing_values=["{word}"]'""" in str(caught.value)
    assert list(read(cells, "category").values) == [word, "Mild", "Severe", None, None]


def test_classes_that_differ_by_a_final_point_are_refused_unless_they_are_asked_for() -> None:
    cells = [">50K", "<=50K", ">50K."]
    with pytest.raises(DataError, match=r"the classes '>50K' and '>50K\.', which stands in t\.csv line 4 first"):
        read(cells)
    assert list(read(cells, "category").values) == cells
    assert list(read(cells, version=1).values) == cells


def test_no_value_is_refused() -> None:
    with pytest.raises(DataError, match="no value in any row"):
        read([None, "NA"])
