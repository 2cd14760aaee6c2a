"""Checks whether rows were drawn at random that belong together: near in time, or of one person or thing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from dltrain.base.errors import DataError
from dltrain.base.shell_words import quoted
from dltrain.config.written import with_text
from dltrain.data.dataset import Dataset
from dltrain.data.finding import Finding, Parts
from dltrain.data.kinds import CAMEL_CASE_ID
from dltrain.data.split_columns import times

FEWEST = 30
FEWEST_VALUES = 10  # different times, or different people or things
MIXED = 0.5  # share of rows before the last train row above which a part is not in the order of time
ALIKE = 0.3  # correlation of the targets of rows that follow each other
SHARED = 0.1  # share of a part whose people or things are in train too
OF_A_PERSON = re.compile(r"birth|born|\bdob\b", re.IGNORECASE)  # a date that says how old, not when
CLOCK = ("year", "month", "day", "hour", "minute", "second")
# What a row can be of, as the name of a column alone or before "id", and what an id can name that new rows have too.
THINGS = (
    "patient|subject|participant|respondent|customer|client|user|member|person|player|household|student|pupil|employee"
    "|driver|speaker|author|writer|donor|passenger|account|session|device|machine|sensor|vehicle|ticket"
)
END = r"[_\W]?(?:id|no|nr|num|number|name|code|key|uuid|guid)"
ENTITY = re.compile(rf"(?:.*[_\W])?(?:(?:{THINGS})s?(?:{END})?|id|uuid|guid)", re.IGNORECASE)
ATTRIBUTE = re.compile(
    r"(?:.*[_\W])?(?:category|class|type|kind|group|state|city|county|country|region|location|zone|area|store|shop|product"
    r"|item|brand|genre|department|dept|status|zip|plan|channel|language|currency|airline|airport|station|route|species"
    r")s?[_\W]?id",
    re.IGNORECASE,
)


def dates_at_random(parts: Parts) -> Iterator[Finding]:
    """Finds a column of dates where the parts are not in the order of time."""
    train = parts.train
    if len(train) < FEWEST or train.test_rows is not None:
        return
    for columns in _columns_of_time(train):
        when = _times(parts, columns)
        if when is None:
            continue
        last = when["train"].max()
        mixed = [part for part in parts.unseen if (when[part] < last).mean() > MIXED]
        if not mixed or len(np.unique(when["train"])) < FEWEST_VALUES:
            continue
        named = f"[{','.join(columns)}]" if isinstance(columns, list) else columns
        typed = quoted(f"split.column={named}" if isinstance(columns, list) else with_text("split.column", columns))
        alike = _alike(parts, np.argsort(when["train"], kind="stable"))
        again = f"If the model is for later rows, test it on later ones: split=time {typed}"
        if alike > ALIKE and alike > 4 / np.sqrt(len(train)):
            sentence = (
                f"Rows that follow each other by '{named}' have like targets (correlation {alike:.2f} in train), and "
                f"{mixed[-1]} rows lie between train rows: the {mixed[-1]} metrics are those of filling gaps. {again}"
            )
        else:
            sentence = f"The rows have dates ('{named}'), and {mixed[-1]} rows lie between train rows. {again}"
        yield Finding(
            "dates split at random",
            "warning" if sentence.startswith("Rows that") else "hint",
            sentence,
            columns=tuple([columns] if isinstance(columns, str) else columns),
        )
        return


def entities_at_random(parts: Parts) -> Iterator[Finding]:
    """Finds columns by whose names several rows are of one person or thing, which is in two parts."""
    train = parts.train
    if len(train) < FEWEST or train.test_rows is not None:
        return
    features = {name: train.columns[name] for name, kind in train.kinds.items() if kind in ("category", "numeric")}
    for name, cells in {**features, **train.other_columns}.items():
        named = ENTITY.fullmatch(name) or CAMEL_CASE_ID.fullmatch(name)
        if not named or ATTRIBUTE.fullmatch(name) or _has_fractions(cells):
            continue
        known = pd.Index(pd.unique(pd.Series(cells[_present(cells)])))
        if not FEWEST_VALUES <= len(known) <= len(cells) / 1.5:
            continue
        for part in reversed(parts.unseen):
            data = parts.raw[part]
            own = data.columns[name] if name in data.columns else data.other_columns[name]
            shared = pd.Index(own).isin(known) & _present(own)
            if shared.mean() >= SHARED and shared.sum() > 1:
                typed = quoted(with_text("split.column", name))
                yield Finding(
                    "ids split at random",
                    "hint",
                    f"{shared.sum():,} of {len(own):,} {part} rows have a '{name}' that train rows have too. If the "
                    f"model is for one that it has not seen: split=group {typed}",
                    columns=(name,),
                )
                break


def _columns_of_time(dataset: Dataset) -> list[str | list[str]]:
    dates: list[str | list[str]] = [
        name for name, kind in dataset.kinds.items() if kind == "date" and not OF_A_PERSON.search(name)
    ]
    by_name = {name.lower(): name for name, kind in dataset.kinds.items() if kind == "numeric"}
    clock = [by_name[each] for each in CLOCK if each in by_name]
    return dates if dates or len(clock) < 3 or clock[0].lower() != "year" else [clock]


def _times(parts: Parts, columns: str | list[str]) -> dict[str, npt.NDArray[np.float64]] | None:
    """Returns the time of each row by part, or None if a row has none, so that the table cannot be split by it."""
    try:
        if isinstance(columns, str):
            return {part: times(data, columns, "") for part, data in parts.raw.items()}
        tables = [np.column_stack([times(data, column, "") for column in columns]) for data in parts.raw.values()]
    except DataError:
        return None
    ranks = np.unique(np.concatenate(tables), axis=0, return_inverse=True)[1].astype(np.float64)
    return dict(zip(parts.raw, np.split(ranks, np.cumsum([len(table) for table in tables])[:-1]), strict=True))


def _alike(parts: Parts, order: npt.NDArray[np.intp]) -> float:
    """Returns the correlation of the target of a train row with that of the next one, the highest over the classes."""
    values = parts.target.values[order].astype(np.float64)
    if parts.target.kind.one_class:
        table = values[:, None] == np.unique(values)
    elif values.ndim == 1:
        table = pd.Series(values).rank().to_numpy()[:, None]  # a few huge values would decide a correlation
    else:
        table = values
    found = [np.corrcoef(column[:-1], column[1:])[0, 1] for column in table.T.astype(np.float64)]
    return float(np.nanmax([0.0, *found]))


def _present(cells: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    marks: npt.NDArray[np.bool_] = cells != "" if cells.dtype == object else ~np.isnan(cells.astype(np.float64))
    return marks


def _has_fractions(cells: npt.NDArray[np.generic]) -> bool:
    if cells.dtype == object:
        return False
    numbers = cells.astype(np.float64)
    return bool((numbers[~np.isnan(numbers)] % 1).any())
