"""Defines the requests and responses of the service as pydantic models, from the signature of the run."""

from __future__ import annotations

import functools
import math
from typing import Annotated, Any

import pyarrow as pa
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model
from pydantic_core import PydanticCustomError

from dltrain.data.column_reading import ColumnReading
from dltrain.data.dates import EXAMPLES, other_cells
from dltrain.data.json_lines import fault_of
from dltrain.data.missing_cells import Missing
from dltrain.inference.model import missing_of
from dltrain.inference.row_inputs import largest
from dltrain.record.signature import Column, Signature

Number = Annotated[float, Field(allow_inf_nan=False)]


def _fit(cell: Any) -> Any:
    if fault := fault_of(cell):
        raise PydanticCustomError("cell", "{fault}", {"fault": fault})
    return cell


def _present(missing: Missing, cell: Any) -> Any:
    """Returns None for a word that stands for a missing cell, and text without blanks around it."""
    if not isinstance(cell, str):
        return cell
    return None if missing.holds(cell) else cell.strip()


def _number(reading: ColumnReading, cell: Any) -> Any:
    """Reads a text as the training data writes numbers."""
    if not isinstance(cell, str):
        return cell
    value = float(reading.number_values(pa.array([cell]))[0])
    if math.isnan(value):
        raise PydanticCustomError("cell", "expected a number {how}", {"how": reading.numbers.described()})
    return value


def _date(named: str, cell: str) -> str:
    """Refuses a text of another format than the named one, since only the request that has it shall fail."""
    if len(other_cells(pa.array([cell]), named)):
        raise PydanticCustomError("cell", "expected a date such as {example}", {"example": EXAMPLES[named]})
    return cell


Word = Annotated[str | bool | int | Number, AfterValidator(_fit)]


def row_model(signature: Signature) -> type[BaseModel]:
    """Returns a model of one row, whose fields have the columns' own names as aliases."""
    fields: dict[str, Any] = {}
    present = BeforeValidator(functools.partial(_present, missing_of(signature)))
    for place, name in enumerate(signature.needed):
        column = signature.by_source.get(name)
        kind = "text" if column is None else column.kind
        most = largest(column) if kind == "numeric" and column else 0.0
        number: Any = Annotated[float, Field(allow_inf_nan=False, ge=-most, le=most)]
        if column is not None and column.reading is not None and not column.plain:
            number = Annotated[number, BeforeValidator(functools.partial(_number, column.reading))]
        named = column.reading.dates if column is not None and column.reading is not None else ""
        date: Any = Annotated[str, AfterValidator(_fit), AfterValidator(functools.partial(_date, named))]
        types = {"numeric": Annotated[number | None, present], "date": Annotated[date | None, present]}
        types["image"] = Annotated[str, AfterValidator(_fit)]
        fields[f"column_{place}"] = (
            types.get(kind, Word | None),
            Field(alias=name, title=name, description=describe_column(column)),
        )
    return create_model(
        "Row",
        __config__=ConfigDict(extra="allow", title="Row", json_schema_extra={"example": example(signature)}),
        **fields,
    )


def rows_model(signature: Signature) -> type[BaseModel]:
    """Returns a model of the body: `{"rows": [...]}`."""
    row = row_model(signature)
    return create_model("Rows", rows=(list[row], Field(min_length=1, description="the rows to predict")))  # type: ignore[valid-type]


class Answer(BaseModel):
    """The prediction for one row."""

    prediction: Any = Field(description="the class, the number, or of each label 0 or 1")
    probabilities: dict[str, float] | None = Field(None, description="of each class or label")
    quantiles: dict[str, float] | None = Field(None, description="beside the median, which is the prediction")
    prediction_low: float | None = Field(None, description="the lower end of the interval, with conformal=")
    prediction_high: float | None = Field(None, description="the upper end of the interval, with conformal=")
    prediction_set: list[str] | None = Field(None, description="the classes that it may be, with conformal=")


class Answers(BaseModel):
    """The predictions for the rows, in their order."""

    rows: list[Answer]
    ignored: list[str] = Field(description="columns that came and that the model does not take")
    unknown: dict[str, list[str]] = Field(description="categories that the train rows did not have, by column")
    notes: list[str] = Field(
        description="sentences on what is ignored, unknown or beyond the numbers of the train rows"
    )


def describe_column(column: Column | None) -> str:
    """Describes the values of a column in a sentence."""
    if column is None:
        return "Words, or null; columns of the model are made from them."
    if column.kind == "numeric":
        span = "" if column.minimum is None else f"; the train rows have {column.minimum:g} to {column.maximum:g}"
        return f"A number, or null where it is missing{span}."
    if column.kind == "category":
        return f"One of {', '.join(column.words[:20])}{', …' if len(column.words) > 20 else ''}, or null."
    if column.kind == "date" and column.reading:
        return f"A date such as {EXAMPLES[column.reading.dates]}, with a time or without, or null."
    if column.kind == "image":
        return f"A PNG, JPEG or other image file in base64; resized to {column.shape[0]} x {column.shape[1]} pixels."
    return "A text, or null."


def example(signature: Signature) -> dict[str, Any]:
    """Returns an example row of median numbers and first words."""
    row: dict[str, Any] = {}
    for name in signature.needed:
        column = signature.by_source.get(name)
        if column is None or column.kind == "text":
            row[name] = "words"
        elif column.kind == "date" and column.reading:
            row[name] = EXAMPLES[column.reading.dates]
        elif column.kind == "numeric":
            row[name] = column.median
        else:
            row[name] = column.words[0] if column.words else ""
    return row
