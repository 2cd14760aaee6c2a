"""Tells dates by their cells: which of the known formats a column of words has, and which cells do not have it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dltrain.base.errors import DataError
from dltrain.config.written import entry

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY, _MONTH, _YEAR = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])", "[0-9]{4}"
_NAME = f"(?:{'|'.join(MONTHS)})[a-z]*"
_HOUR = "(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?"
_TIME = rf"(?:[t ] *{_HOUR} *(?:[ap]m)?(?: *(?:z|utc|[+-][0-9]{{2}}:?[0-9]{{2}}))?)?"
# The format by the order of its parts -> a pattern of RE2 for cells in lower case.
FORMATS = {
    "year_month_day": f"{_YEAR}[-/.]{_MONTH}[-/.]{_DAY}",
    "day_month_year": f"{_DAY}[-/.]{_MONTH}[-/.](?:{_YEAR}|[0-9]{{2}})",
    "month_day_year": f"{_MONTH}[-/.]{_DAY}[-/.](?:{_YEAR}|[0-9]{{2}})",
    "named_month": f"(?:{_DAY}[- ]{_NAME}[-, .]+{_YEAR}|{_NAME}[ .]*{_DAY},? {_YEAR})",
}
EXAMPLES = {
    "year_month_day": "2020-12-31",
    "day_month_year": "31/12/2020",
    "month_day_year": "12/31/2020",
    "named_month": "31 Dec 2020",
}
# How cells of a type of time are written for a model that was trained on words.
_WRITTEN = {
    "year_month_day": "%Y-%m-%d %H:%M:%S",
    "day_month_year": "%d/%m/%Y %H:%M:%S",
    "month_day_year": "%m/%d/%Y %H:%M:%S",
    "named_month": "%d %b %Y %H:%M:%S",
}


# The parts of a date of any format, and of a time behind it.
_DATE_NUMBERS = r"^\D*(?P<first>[0-9]+)\D+(?P<second>[0-9]+)(?:\D+(?P<third>[0-9]+))?$"
_TIME_NUMBERS = (
    r"^[t ] *(?P<hour>[0-9]+):(?P<minute>[0-9]+)(?::(?P<second>[0-9]+(?:[.,][0-9]+)?))? *(?:(?P<half>[ap])m)?"
    r" *(?:z|utc|(?P<sign>[+-])(?P<ahead_hours>[0-9]{2}):?(?P<ahead_minutes>[0-9]{2}))?$"
)


def date_format(name: str, distinct: Any, day_first: bool | None) -> str | None:
    """Returns the format that all these words of a column, Arrow cells, have, or None if they have none.

    `day_first` decides between day and month where the words allow both; with dots, the day is first.

    Raises:
        DataError: If day and month could be either, and `day_first` is None.
    """
    fitting = [each for each in FORMATS if not len(other_cells(distinct[:1], each))]
    fitting = [each for each in fitting if not len(other_cells(distinct, each))]
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    if day_first is None and "." not in str(distinct[0]):
        ignored = entry("dataset.kinds", name, "ignore")
        raise DataError(
            f"Column '{name}' holds dates such as '{distinct[0]}', in which day and month could be either. If the day "
            f"is first: dataset.day_first=true; if the month is: dataset.day_first=false; to leave the column out: "
            f"{ignored}."
        )
    return "month_day_year" if day_first is False else "day_month_year"


def pattern(named: str) -> str:
    """Returns the regular expression of a whole cell of the named format, in lower case without blanks around it."""
    return f"^(?:{FORMATS[named]}{_TIME})$"


def other_cells(cells: Any, named: str) -> npt.NDArray[np.intp]:
    """Returns the positions of cells of text that are there and have another format than the named one."""
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(cells))
    fits = pc.match_substring_regex(lower, pattern(named))
    fits = pc.or_kleene(fits, pc.equal(lower, "")).fill_null(True)
    return np.flatnonzero(~fits.to_numpy(zero_copy_only=False))


def written(cells: Any, named: str) -> Any:
    """Returns Arrow cells as text; those of a type of time are written in the named format, as their clock says."""
    if not pa.types.is_temporal(cells.type):
        return cells if pa.types.is_string(cells.type) else pc.cast(cells, pa.string())
    clock = pc.local_timestamp(cells) if getattr(cells.type, "tz", None) else cells
    return pc.strftime(pc.cast(clock, pa.timestamp("s"), safe=False), format=_WRITTEN[named], locale="C")


def days(words: Any, named: str) -> npt.NDArray[np.float64]:
    """Returns the days since 1970-01-01 UTC of dates in the named format, Arrow cells, NaN for a missing one; (n,).

    A date without a zone counts as one of UTC, and a year of two digits lies between 1969 and 2068.
    """
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(words))
    cut = pc.extract_regex(lower, f"^(?P<date>{FORMATS[named]})(?P<time>(?:[t ].*)?)$")
    date, clock = (pc.struct_field(cut, part) for part in ("date", "time"))
    found, of_day = pc.extract_regex(date, _DATE_NUMBERS), pc.extract_regex(clock, _TIME_NUMBERS)
    places = ("day", "year") if named == "named_month" else tuple(named.split("_"))
    parts = {name: _number(found, place) for name, place in zip(places, ("first", "second", "third"), strict=False)}
    if named == "named_month":
        letters = pc.struct_field(pc.extract_regex(date, "(?P<name>[a-z]{3})"), "name")
        parts["month"] = pc.index_in(letters, pa.array(MONTHS)).to_numpy(zero_copy_only=False) + 1.0
    year = parts["year"]
    year = year + np.where(year < 69, 2000, np.where(year < 100, 1900, 0))
    absent = np.isnan(year)
    months = np.where(absent, 0, (year - 1970) * 12 + parts["month"] - 1).astype("datetime64[M]")
    whole = months.astype("datetime64[D]").astype(np.float64) + parts["day"] - 1
    hour, minute, second = (np.nan_to_num(_number(of_day, part)) for part in ("hour", "minute", "second"))
    half = pc.fill_null(pc.struct_field(of_day, "half"), "").to_numpy(zero_copy_only=False)
    hour = np.where(half == "", hour, hour % 12 + 12 * (half == "p"))
    ahead = np.nan_to_num(_number(of_day, "ahead_hours") * 60 + _number(of_day, "ahead_minutes"))
    behind = pc.fill_null(pc.equal(pc.struct_field(of_day, "sign"), "-"), False).to_numpy(zero_copy_only=False)
    seconds = whole * 86_400 + hour * 3_600 + (minute - np.where(behind, -ahead, ahead)) * 60 + second
    return np.where(absent, np.nan, seconds / 86_400)


def _number(parts: Any, name: str) -> npt.NDArray[np.float64]:
    text = pc.replace_substring(pc.struct_field(parts, name), ",", ".")
    text = pc.if_else(pc.equal(text, ""), None, text)
    numbers: npt.NDArray[np.float64] = pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False)
    return numbers
