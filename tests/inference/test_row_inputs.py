"""Cells of new rows as the model takes them; what does not fit is refused by row and column."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import DataError
from dltrain.data.missing_cells import Missing
from dltrain.data.recipe import Recipe
from dltrain.inference.row_inputs import RowInputs, spell
from dltrain.inference.rows import RawRows, value_rows
from dltrain.record.signature import Column, Signature

NUMBER = Column("size", "numeric", "Size", minimum=0.0, maximum=10.0)
WORD = Column("colour", "category", "colour", words=("red", "3", "True"))


def row_inputs(*columns: Column, **more: Any) -> RowInputs:
    return RowInputs(Signature(columns, ("price",), "regression", **more))


def block(folder: Path = Path(), **cells: Any) -> RawRows:
    return replace(value_rows(cells.items(), Missing.of(()), "new.csv"), folder=folder)


@pytest.mark.parametrize("cells", [[1.5, None, 2], [" 1.5 ", "", "2"], ["1.5", None, "2"]])
def test_numbers_may_be_missing_or_stand_in_blanks(cells: list[Any]) -> None:
    found = row_inputs(NUMBER).inputs(block(Size=cells))["size"]
    np.testing.assert_array_equal(found, [[1.5], [np.nan], [2]])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1", "two"], r"new\.csv row 2, column 'Size': expected a number, got 'two'"),
        (["1", "1_0"], r"new\.csv row 2, column 'Size': expected a number, got '1_0'"),
        ([1.0, -math.inf], r"new\.csv row 2, column 'Size' is infinite"),
    ],
)
def test_cell_that_is_no_finite_number_is_refused_by_its_place(cells: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        row_inputs(NUMBER).inputs(block(Size=cells))


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("red", "red"), (" red ", "red"), (3, "3"), (3.0, "3"), ("3.0", "3"), (True, "True"), ("true", "True"),
        (2.5, "2.5"), (math.nan, ""), ("", ""), (" blue", "blue"), ("4.0", "4.0"),
    ],
)  # fmt: skip
def test_category_is_spelled_as_in_training(value: Any, word: str) -> None:
    assert spell(value, set(WORD.words)) == word


@pytest.mark.parametrize(
    ("value", "known", "word"),
    [
        (456, {"00456", "00123"}, "00456"),
        (456.0, {"00456"}, "00456"),
        (0, {"000"}, "000"),
        (7, {"7", "007"}, "7"),
        (7, {"07", "007"}, "7"),
        ("456", {"00456"}, "456"),
        (8, {"007"}, "8"),
        (3.0, {"3.0", "0.5"}, "3.0"),
        (3, {"3.0", "3e1"}, "3.0"),
        (True, {"01"}, "True"),
    ],
)
def test_a_number_is_the_word_that_lost_its_zeros(value: Any, known: set[str], word: str) -> None:
    assert spell(value, known) == word


def test_unknown_words_and_numbers_beyond_are_counted_over_all_blocks() -> None:
    rows = row_inputs(NUMBER, WORD)
    rows.inputs(block(Size=[11, 5], colour=["red", "blue"]))
    found = rows.inputs(block(Size=[-1, None], colour=["blue", None]))
    assert found["colour"].numpy().tolist() == [[b"blue"], [b""]]
    assert rows.rows == 4
    assert rows.notes() == [
        "colour: 2 values the model does not know ('blue'); the train rows had them never or seldom.",
        "size: 2 values lie beyond those of the train rows (0 to 10).",
    ]


def test_case_of_names_is_overlooked_where_it_is_clear_and_the_rest_is_told() -> None:
    rows = row_inputs(NUMBER)
    assert rows.inputs(block(SIZE=[1], other=[2], Price=[3]))["size"].numpy().tolist() == [[1]]
    assert rows.notes() == [
        "taken, since only the capitals differ: 'SIZE' for 'Size'.",
        "ignored: other, Price (the model does not take them); "
        "Price is the target, which dltrain evaluate compares with.",
    ]
    with pytest.raises(DataError, match=r"has no column 'Size'"):
        row_inputs(NUMBER).inputs(block(SIZE=[1], size_=[2], siZe=[3]))


def test_missing_columns_are_named_with_the_nearest_one() -> None:
    with pytest.raises(DataError, match=r"new\.csv has no columns 'Size', 'colour'.*Did you mean 'Sizes'"):
        row_inputs(NUMBER, WORD).inputs(block(Sizes=[1]))
    with pytest.raises(DataError, match=r"has no column 'Size', which the model takes\.$"):
        row_inputs(NUMBER).inputs(block(id=[1]))


def test_made_columns_are_made_unless_the_rows_have_them() -> None:
    rows = row_inputs(Column("total", "numeric", "total"), made={"total": Recipe(("a", "b"), plus=1)})
    assert rows.inputs(block(a=[1, 2], b=[10, 20]))["total"].numpy().tolist() == [[12], [23]]
    assert rows.notes() == []
    rows = row_inputs(Column("total", "numeric", "total"), made={"total": Recipe(("a", "b"), plus=1)})
    assert rows.inputs(block(total=[5]))["total"].numpy().tolist() == [[5]]


def test_missing_text_is_an_empty_one() -> None:
    found = row_inputs(Column("text", "text", "text")).inputs(block(text=["a", None]))["text"]
    assert found.numpy().tolist() == [[b"a"], [b""]]


def test_images_have_the_shape_of_the_model(tmp_path: Path) -> None:
    column = Column("image", "image", "image", shape=(2, 2, 1), dtype="uint8")
    pixels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1)
    np.testing.assert_array_equal(row_inputs(column).inputs(block(image=pixels))["image"], pixels)
    with pytest.raises(DataError, match="row 1: expected an image of 2 x 2 x 1, got 2 x 1 x 2"):
        row_inputs(column).inputs(block(image=pixels.reshape(2, 2, 1, 2)))


def test_images_that_cannot_be_read_are_marked_and_told_or_refused(tmp_path: Path) -> None:
    column = Column("image", "image", "image", shape=(2, 2, 1), dtype="uint8")
    cells = [np.full((2, 2, 1), 7, np.uint8), "gone.png", None, b"broken"]
    rows = RawRows({"image": cells}, 0, "new.csv", folder=tmp_path, notes=("skipped 1 file.",))
    made = row_inputs(column)
    assert made.inputs(rows)["image"].numpy().max(axis=(1, 2, 3)).tolist() == [7, 0, 0, 0]
    assert made.unreadable.tolist() == [False, True, True, True]
    assert made.notes() == [
        "skipped 1 file.",
        "no prediction of 3 rows, since the image cannot be read: new.csv row 2, column 'image': 'gone.png' (there is "
        "no such file), new.csv row 3 (its cell is empty), new.csv row 4 (it is in no format of images that Pillow "
        "reads).",
    ]  # fmt: skip
    refusing = RowInputs(Signature((column,), ("y",), "binary", reading={"corrupt": "refuse"}))
    with pytest.raises(
        DataError, match=r"row 2, column 'image': 'gone\.png' is not an image that can be read: there is no"
    ):
        refusing.inputs(rows)
