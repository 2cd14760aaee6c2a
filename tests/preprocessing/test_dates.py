"""The arithmetic on characters reads each date as Python's calendar does."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.preprocessing.dates import date_parts

GENERATOR = np.random.default_rng(0)
# Leap days, the ends of years and centuries, and days by chance.
DAYS = [
    datetime(*day) for day in [(1970, 1, 1), (2000, 2, 29), (2000, 3, 1), (1999, 12, 31), (2024, 2, 29), (2020, 5, 5)]
]
DAYS += [datetime(1970, 1, 1) + timedelta(minutes=int(each)) for each in GENERATOR.integers(0, 60 * 24 * 365 * 65, 60)]


def parts_of(cells: list[str], order: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    cell = keras.Input((1,), dtype="string", name="day")
    return cell, *date_parts("day", np.array(cells, dtype=object), cell, order)


@pytest.mark.parametrize(
    ("written", "order"),
    [
        ("%Y-%m-%d %H:%M:%S", "year_month_day"),
        ("%Y/%m/%dT%H:%M:%S.123456+01:00", "year_month_day"),
        ("%d.%m.%Y %H:%M", "day_month_year"),
        ("%d/%m/%Y %I:%M %p", "day_month_year"),
        ("%m/%d/%y", "month_day_year"),
        ("%B %d, %Y %I:%M%p", "named_month"),
        ("%d-%b-%Y", "named_month"),
    ],
)
def test_parts_are_those_of_the_calendar(written: str, order: str) -> None:
    days = DAYS if "%H" in written or "%I" in written else [each.replace(hour=0, minute=0) for each in DAYS]
    _, tensors, values = parts_of([*(each.strftime(written) for each in days), ""], order)
    expected: dict[str, list[float]] = {
        "year": [each.year for each in days],
        "month": [each.month for each in days],
        "day": [each.day for each in days],
        "weekday": [each.weekday() for each in days],
        "hour": [each.hour for each in days],
        "days since the earliest": [(each - datetime(1970, 1, 1)) / timedelta(days=1) for each in days],
    }
    for part in ("month", "day", "weekday", "hour"):
        angles = np.array(expected[part]) * 2 * np.pi / {"month": 12, "day": 31, "weekday": 7, "hour": 24}[part]
        expected |= {f"sine of {part}": list(np.sin(angles)), f"cosine of {part}": list(np.cos(angles))}
    if days is not DAYS:  # the same everywhere tells nothing
        expected = {part: found for part, found in expected.items() if "hour" not in part}
    assert set(values) == set(tensors) == {f"day: {part}" for part in expected}
    for part, found in expected.items():
        np.testing.assert_allclose(values[f"day: {part}"][:-1], found, atol=1e-9)
        assert np.isnan(values[f"day: {part}"][-1])


def test_model_of_dates_loads_with_keras_alone(tmp_path: Path) -> None:
    cell, tensors, values = parts_of([f"2020-0{month}-1{month} 0{month}:00" for month in range(1, 8)], "year_month_day")
    keras.Model(cell, tensors).save(tmp_path / "dates.keras")
    loaded = keras.models.load_model(tmp_path / "dates.keras", safe_mode=True, custom_objects={})
    found = loaded(tf.constant([["2020-03-13 03:00"], [""]]))
    for part, column in values.items():
        assert float(found[part][0, 0]) == pytest.approx(column[2])
        assert np.isnan(found[part][1, 0])
    assert "day: year" not in values


def test_column_without_a_date_gives_nothing() -> None:
    assert parts_of(["", ""], "year_month_day")[1:] == ({}, {})
