"""Lists the runs below a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.config.settings import differing
from dltrain.record.listing import Row, filter_rows, keys_of, rows_below, sort_rows

if TYPE_CHECKING:
    import pandas as pd

FIRST = ("run", "sweep", "started", "status", "dataset", "model", "seconds", "best_epoch", "best_value")


def runs(folder: str | Path = "outputs", *, filter: str = "", sort: str = "") -> pd.DataFrame:  # noqa: A002 - as --filter
    """Returns a row for each run below a folder, the newest first: its directory, metrics and what it differs in.

    `filter` holds conditions such as `"status=completed validation.auc>0.9"`; `sort` is a column or key, downwards
    with a minus in front.

    >>> dltrain.runs("outputs", sort="-validation.accuracy").loc[0, "status"]
    'completed'
    """
    import pandas as pd

    rows = find_rows(folder, filter, sort)
    return pd.DataFrame([values_of(row) for row in rows], columns=columns_of(rows))


def find_rows(folder: str | Path, conditions: str = "", sort: str | None = None) -> list[Row]:
    """Returns the runs below a folder that meet the conditions, sorted by a key, else the newest first."""
    rows = filter_rows(rows_below(Path(folder)), conditions)
    return sort_rows(rows, sort) if sort else rows


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Returns the columns of a table of runs: facts, metrics, the settings in which they differ, and the error."""
    parts = [key for key in keys_of(rows) if key.partition(".")[0] in ("train", "validation", "test") and "." in key]
    return list(dict.fromkeys([*FIRST, *parts, *differing_keys(rows), "error"]))


def values_of(row: Row) -> dict[str, Any]:
    """Returns the values of a run by column."""
    return {**row.values, "error": row.fault or row.values.get("error")}


def differing_keys(rows: Sequence[Row]) -> list[str]:
    """Returns the groups and keys in which the runs differ, without those that have a column of their own."""
    keys = differing([(row.choices, row.settings) for row in rows if not row.fault])
    return [key for key in keys if key not in ("dataset", "model", "dataset.name")]
