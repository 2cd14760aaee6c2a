from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltrain.base.errors import DataError
from dltrain.data.dates import EXAMPLES, FORMATS, date_format, days, other_cells, written


def words(*cells: str | None) -> pa.Array:
    return pa.array(cells, pa.string())


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2020-01-31", "2020-1-2 "], "year_month_day"),
        (["2020/01/31 10:05", "2020/02/01 23:59:59.5"], "year_month_day"),
        (["2020-01-31T10:05:00Z", "2020-01-31T10:05:00+01:00"], "year_month_day"),
        (["31/1/2020", "1/2/2020"], "day_month_year"),
        (["1.2.2020", "3.4.2020"], "day_month_year"),  # who writes dots begins with the day
        (["1/31/20", "1/2/20"], "month_day_year"),
        (["12/31/2020 11:05 PM"], "month_day_year"),
        (["31 Jan 2020", "1-Feb-2020"], "named_month"),
        (["January 31, 2020", "Sep 1, 2020"], "named_month"),
        (["31/1/2020", "1/31/2020"], None),
        (["2020-13-01"], None),
        (["2020-01-31 25:00"], None),
        (["2020-01-31", "soon"], None),
        (["12.5"], None),
    ],
)
def test_format_is_that_of_all_cells(cells: list[str], expected: str | None) -> None:
    assert date_format("day", words(*cells), None) == expected


def test_day_and_month_that_could_be_either_are_refused_with_both_readings() -> None:
    cells = words("3/4/2020", "5/6/2020")
    with pytest.raises(DataError) as caught:
        date_format("day", cells, None)
    told = str(caught.value)
    assert all(each in told for each in ("dataset.day_first=true", "dataset.day_first=false", "{day: ignore}"))
    assert [date_format("day", cells, first) for first in (True, False)] == ["day_month_year", "month_day_year"]
    # What the cells tell stands.
    assert date_format("day", words("3/14/2020"), True) == "month_day_year"


def test_cells_of_another_format_are_found_and_missing_ones_are_none() -> None:
    np.testing.assert_array_equal(other_cells(words("2020-01-31", None, "", "31/1/2020"), "year_month_day"), [3])


@pytest.mark.parametrize("named", FORMATS)
def test_times_are_written_in_each_format(named: str) -> None:
    cells = pa.array([datetime.datetime(2020, 12, 31, 10, 5), None])
    (text, absent) = written(cells, named).to_pylist()
    assert text.startswith(EXAMPLES[named])
    assert absent is None
    assert not len(other_cells(words(text, EXAMPLES[named]), named))


def test_times_with_a_zone_keep_their_clock_and_days_have_midnight() -> None:
    at_noon = datetime.datetime(2020, 7, 1, 12, tzinfo=datetime.UTC)
    cells = pa.array([at_noon], pa.timestamp("us", "Europe/Rome"))
    assert written(cells, "year_month_day").to_pylist() == ["2020-07-01 14:00:00"]
    day = pa.array([datetime.date(2020, 7, 1)])
    assert written(day, "day_month_year").to_pylist() == ["01/07/2020 00:00:00"]


@pytest.mark.parametrize(
    ("cell", "named", "expected"),
    [
        ("2020-12-31", "year_month_day", "2020-12-31"),
        (" 2020/2/29T23:59:59.5Z", "year_month_day", "2020-02-29 23:59:59.5"),
        ("2020-01-01 00:00:00-0530", "year_month_day", "2020-01-01 05:30"),
        ("31.12.68", "day_month_year", "2068-12-31"),
        ("12/31/69 1:05 PM", "month_day_year", "1969-12-31 13:05"),
        ("31 Dec 2020 12:00 am", "named_month", "2020-12-31"),
        ("September 3, 2020 10:00 +02:00", "named_month", "2020-09-03 08:00"),
    ],
)
def test_days_are_those_of_the_calendar(cell: str, named: str, expected: str) -> None:
    found = days(words(cell, None), named)
    assert found[0] == pytest.approx((pd.Timestamp(expected) - pd.Timestamp(0)) / pd.Timedelta(days=1), abs=1e-9)
    assert np.isnan(found[1])


@given(st.datetimes(datetime.datetime(1800, 1, 1), datetime.datetime(2200, 1, 1)), st.sampled_from(sorted(FORMATS)))
def test_days_of_any_format_are_those_of_the_calendar(moment: datetime.datetime, named: str) -> None:
    text = written(pa.array([moment.replace(microsecond=0)]), named)
    expected = (moment.replace(microsecond=0) - datetime.datetime(1970, 1, 1)) / datetime.timedelta(days=1)
    assert days(text, named)[0] == pytest.approx(expected, abs=1e-8)
