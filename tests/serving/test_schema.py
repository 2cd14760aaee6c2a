from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from dltrain.data.column_reading import ColumnReading
from dltrain.data.recipe import Recipe
from dltrain.record.signature import Column, Signature
from dltrain.serving.schema import describe_column, example, rows_model

SIGNATURE = Signature(
    (
        Column("n", "numeric", "n umber", minimum=0.5, maximum=2.0, median=1.5),
        Column("colour", "category", "colour", words=("red", "blue")),
        Column("total", "numeric", "total"),
    ),
    ("y",),
    "regression",
    made={"total": Recipe(("a", "b"))},
)
ROW = {"n umber": 1, "colour": "red", "a": 1, "b": 2}


def test_rows_have_the_names_of_the_source_and_may_have_more() -> None:
    model = rows_model(SIGNATURE)
    (row,) = model.model_validate({"rows": [ROW | {"other": 1}]}).rows  # type: ignore[attr-defined]
    assert row.model_dump(by_alias=True) == ROW | {"other": 1}
    assert set(example(SIGNATURE)) == set(ROW)
    assert model.model_validate({"rows": [example(SIGNATURE)]})


@pytest.mark.parametrize(
    "body",
    [
        {"rows": []},
        {},
        {"rows": [{**ROW, "n umber": "red"}]},
        {"rows": [{**ROW, "n umber": float("inf")}]},
        {"rows": [{key: value for key, value in ROW.items() if key != "b"}]},
        {"rows": [{**ROW, "colour": ["red"]}]},
    ],
)
def test_body_that_does_not_fit_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rows_model(SIGNATURE).model_validate(body)


def test_columns_are_described() -> None:
    number, word, _ = SIGNATURE.columns
    assert describe_column(number) == "A number, or null where it is missing; the train rows have 0.5 to 2."
    assert describe_column(word) == "One of red, blue, or null."
    assert describe_column(None).startswith("Words, or null")
    many = Column("w", "category", "w", words=tuple(map(str, range(30))))
    assert describe_column(many).endswith("19, …, or null.")


def test_dates_are_those_of_the_training_data() -> None:
    reading = ColumnReading(dates="day_month_year")
    signature = Signature((Column("day", "date", "day", reading=reading),), ("y",), "regression")
    model = rows_model(signature)
    for cell in ("1/2/2020", "31/12/2020 10:05", "", None):
        assert model.model_validate({"rows": [{"day": cell}]})
    assert model.model_validate({"rows": [example(signature)]})
    for wrong in ("2020-01-31", "soon", 3):
        with pytest.raises(ValidationError, match=r"expected a date such as 31/12/2020|valid string"):
            model.model_validate({"rows": [{"day": wrong}]})
    assert describe_column(signature.columns[0]) == "A date such as 31/12/2020, with a time or without, or null."


@pytest.mark.parametrize("cell", ["?", " ? ", "NA", "", "-999.0", None])
def test_words_for_a_missing_cell_are_those_of_the_training_data(cell: Any) -> None:
    signature = replace(SIGNATURE, reading={"missing_values": ["?", "-999"]})
    (row,) = rows_model(signature).model_validate({"rows": [ROW | {"n umber": cell}]}).rows  # type: ignore[attr-defined]
    assert row.model_dump(by_alias=True)["n umber"] is None
