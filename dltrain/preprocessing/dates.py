"""Makes numbers of dates inside the model, which takes the cell as the file has it.

The cell is split into characters, and the numbers in it are read by arithmetic on these, so that a model needs no layer
but Keras' own.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.data.dates import MONTHS

CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
LENGTH = 40  # of the longest date with its time
FIRST_ID = 2  # of the first character, after padding and the others
DIGITS = 10
PERIODS = {"month": 12, "day": 31, "weekday": 7, "hour": 24}
ROWS_AT_ONCE = 65_536

Column = npt.NDArray[np.float64]


def date_parts(name: str, cells: npt.NDArray[Any], cell: Any, order: str) -> tuple[dict[str, Any], dict[str, Column]]:
    """Returns the numbers made of a column of dates, by name: tensors (batch, 1) and their values (n,) for train rows.

    `cells`, shape (n,), are words of the train rows, "" for a missing one, which makes NaN; `cell` is the model's input
    (batch, 1), and `order` a format of `data.dates`. Numbers that are the same in all train rows are left out. An hour
    is that of the clock where the date was written, whatever its zone.
    """
    parts, days, share = _read(cell, order)
    values = _computed(cell, {"days": days}, cells)
    earliest = float(np.nanmin(values["days"])) if np.isfinite(values["days"]).any() else 0.0
    parts["days since the earliest"] = days - earliest + share
    for part, period in PERIODS.items():
        angle = parts[part] * (2 * math.pi / period)
        parts |= {f"sine of {part}": keras.ops.sin(angle), f"cosine of {part}": keras.ops.cos(angle)}
    found = _computed(cell, parts, cells)
    varying = [part for part, column in found.items() if len(np.unique(column[~np.isnan(column)])) > 1]
    bases = {part: part.rpartition(" ")[2] if " of " in part else part for part in varying}
    kept = [part for part in varying if bases[part] in varying]
    return {f"{name}: {part}": parts[part] for part in kept}, {f"{name}: {part}": found[part] for part in kept}


def _computed(cell: Any, parts: dict[str, Any], cells: npt.NDArray[Any]) -> dict[str, Column]:
    model = keras.Model(cell, parts)
    # Each distinct date is read once.
    words, places = np.unique(cells.astype(str), return_inverse=True)
    blocks = [
        model(tf.constant(words[first : first + ROWS_AT_ONCE, None])) for first in range(0, len(words), ROWS_AT_ONCE)
    ]
    return {part: np.concatenate([np.asarray(block[part])[:, 0] for block in blocks])[places] for part in parts}


def _read(cell: Any, order: str) -> tuple[dict[str, Any], Any, Any]:
    """Returns year, month, day, weekday and hour, the days since 1970 and the share of the day, each (batch, 1)."""
    # The vocabulary is given to the constructor, which keeps it in the layer's config.
    layer = keras.layers.TextVectorization(
        standardize="lower", split="character", output_sequence_length=LENGTH, vocabulary=[*CHARACTERS]
    )
    ids = layer(cell)
    named = order == "named_month"
    numbers, count = _numbers(ids, 4 if named else 5)
    places = {name: place for place, name in enumerate(["day", "year"] if named else order.split("_"))}
    month = _named_month(ids) if named else numbers[places["month"]]
    year, day, hour, minute = numbers[places["year"]], numbers[places["day"]], *numbers[len(places) :]
    year = keras.ops.where(year < 100, year + keras.ops.where(year < 69, 2000.0, 1900.0), year)
    p, a, m = (FIRST_ID + CHARACTERS.index(letter) for letter in "pam")
    afternoon, morning = (_follow(ids, first, m) for first in (p, a))
    hour = keras.ops.where(afternoon + morning > 0, keras.ops.mod(hour, 12.0) + 12.0 * afternoon, hour)
    days = _days(year, month, day)
    parts = {"year": year, "month": month, "day": day, "weekday": keras.ops.mod(days + 3.0, 7.0), "hour": hour}
    absent = count < len(places)
    parts = {part: keras.ops.where(absent, np.nan, value) for part, value in parts.items()}
    return parts, keras.ops.where(absent, np.nan, days), hour / 24.0 + minute / 1440.0


def _numbers(ids: Any, most: int) -> tuple[list[Any], Any]:
    """Returns the first numbers in texts of character ids, (batch, 1) each and 0 for an absent one, and their count."""
    digit = keras.ops.cast(keras.ops.logical_and(ids >= FIRST_ID, ids < FIRST_ID + DIGITS), "float64")
    value = keras.ops.cast(ids - FIRST_ID, "float64") * digit
    run = _runs(digit)
    numbers = []
    for place in range(1, most + 1):
        own = digit * keras.ops.cast(keras.ops.equal(run, place), "float64")
        behind = keras.ops.sum(own, axis=1, keepdims=True) - keras.ops.cumsum(own, axis=1)
        numbers.append(keras.ops.sum(own * value * keras.ops.power(10.0, own * behind), axis=1, keepdims=True))
    return numbers, keras.ops.max(run, axis=1, keepdims=True)


def _runs(marks: Any) -> Any:
    """Numbers the runs of ones from 1, shape (batch, length)."""
    before = keras.ops.pad(marks[:, :-1], [[0, 0], [1, 0]])
    return keras.ops.cumsum(marks * (1.0 - before), axis=1)


def _named_month(ids: Any) -> Any:
    """Returns the number of the month whose name is the first word, (batch, 1)."""
    letter = keras.ops.cast(ids >= FIRST_ID + DIGITS, "float64")
    own = letter * keras.ops.cast(keras.ops.equal(_runs(letter), 1), "float64")
    rank = keras.ops.cumsum(own, axis=1) * own
    value = keras.ops.cast(ids, "float64")
    code: Any = 0.0
    for place in (1, 2, 3):
        at_place = keras.ops.cast(keras.ops.equal(rank, place), "float64")
        code = code * 100.0 + keras.ops.sum(at_place * value, axis=1, keepdims=True)
    month: Any = 0.0
    for number, name in enumerate(MONTHS, start=1):
        first, second, third = (FIRST_ID + CHARACTERS.index(each) for each in name)
        same = keras.ops.equal(code, float(first * 10_000 + second * 100 + third))
        month = month + number * keras.ops.cast(same, "float64")
    return month


def _follow(ids: Any, first: int, second: int) -> Any:
    """Returns 1 where one character follows another somewhere in the text, else 0; shape (batch, 1)."""
    pair = keras.ops.logical_and(keras.ops.equal(ids[:, :-1], first), keras.ops.equal(ids[:, 1:], second))
    return keras.ops.max(keras.ops.cast(pair, "float64"), axis=1, keepdims=True)


def _days(year: Any, month: Any, day: Any) -> Any:
    """Returns the days since 1970-01-01 in the Gregorian calendar, of which the year begins in March for leap days."""
    early = keras.ops.cast(month <= 2, "float64")
    year = year - early
    of_year = keras.ops.floor((153.0 * (month + 12.0 * early - 3.0) + 2.0) / 5.0) + day - 1.0
    leaps = keras.ops.floor(year / 4.0) - keras.ops.floor(year / 100.0) + keras.ops.floor(year / 400.0)
    return 365.0 * year + leaps + of_year - 719_468.0
