"""Makes the content of the panel "What if": the model as a program, a field for each column, and partial dependence.

A panel has columns of numbers, categories and dates; its fields and curves are drawn by report/templates/what_if.js.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf

from dltrain.base.errors import ConfigError
from dltrain.data.dataset import Dataset
from dltrain.data.dates import EXAMPLES, pattern
from dltrain.exporting.trace import program_of
from dltrain.inference.model import Model
from dltrain.record.signature import Column, Signature

logger = logging.getLogger("dltrain")

KINDS = ("numeric", "category", "date")
MOST_COLUMNS = 100
POINTS = 21  # of a curve
MOST_WORDS = 12  # in the picture of a category, the most frequent ones
MOST_ROWS = 200  # whose answers are averaged
MOST_ANSWERS = 100_000  # for the partial dependence of all columns


def what_if(model: Model, dataset: Dataset, part: str) -> dict[str, Any] | None:
    """Returns the content of what_if.json, or None for texts and images; `left_out` tells why there is no panel.

    `dataset` holds the rows of a part, at least one; answers are averaged over some of them, evenly spaced.
    """
    signature = model.signature
    if any(column.kind not in KINDS for column in signature.columns):
        return None
    try:
        if len(signature.columns) > MOST_COLUMNS:
            raise ConfigError(f"it has {len(signature.columns):,} columns, and a page shows {MOST_COLUMNS} at most")
        steps = program_of(model.network).steps
    except ConfigError as error:
        logger.debug("The report has no panel 'What if': a page cannot compute this model, since %s.", error)
        return {"left_out": f"A page cannot compute this model, since {error}."}
    count = max(1, min(len(dataset), MOST_ROWS, MOST_ANSWERS // (len(signature.columns) * POINTS)))
    rows = dataset.take(np.unique(np.linspace(0, len(dataset) - 1, count).astype(np.intp)))
    sums = _sums(signature)
    columns = []
    for column in signature.columns:
        field = _FIELDS[column.kind](column, rows.columns[column.name])
        if column.name in sums:
            columns.append({**field, "curve": [], "average": []})
            continue
        answers = _partial_dependence(model, rows, column.name, field["curve"], sums)
        columns.append({**field, "average": answers})
    return {
        "part": part,
        "rows": len(rows),
        "answer": _answer(signature),
        "columns": columns,
        "sums": sums,
        "program": steps,
    }


def _answer(signature: Signature) -> dict[str, Any]:
    """Says how a page names the outputs, as `data.answers.name_answers` does."""
    kind = signature.kind
    form = "labels" if kind.labels else "quantity" if kind.quantity else "two" if kind.two_classes else "classes"
    beside = [f"quantile {share:g}" for share in signature.quantiles[1:]]
    names = signature.classes or ("prediction", *(["standard deviation"] if kind.deviation else beside))
    about: dict[str, Any] = {"threshold": signature.threshold, "conformal": signature.conformal}
    about["quantiles"] = bool(signature.quantiles)
    return {"form": form, "names": names, "target": ", ".join(signature.target), **about}


def _sums(signature: Signature) -> dict[str, dict[str, Any]]:
    """Returns the columns that are sums of other numbers that the model takes, which a page adds up itself."""
    sums = {}
    for name, recipe in signature.made.items():
        of = [signature.by_source[source] for source in recipe.columns if source in signature.by_source]
        if recipe.pattern is None and len(of) == len(recipe.columns) and all(each.kind == "numeric" for each in of):
            sums[name] = {"of": [each.name for each in of], "plus": recipe.plus}
    return sums


def _numeric(column: Column, cells: npt.NDArray[Any]) -> dict[str, Any]:
    low, high = column.minimum, column.maximum
    if low is None or high is None or not math.isfinite(high - low):
        return {**_field(column), "start": column.median, "curve": []}
    present = cells[~np.isnan(cells)]
    whole = bool(np.all(present == np.round(present))) and low == round(low) and high == round(high)
    points = np.linspace(low, high, POINTS) if high > low else np.array([low])
    if whole:
        points = np.unique(np.round(points))
    # A power of ten, at most a thousandth of the range.
    decimals = 0 if whole or high == low else min(max(0, 3 - math.floor(math.log10(high - low))), 100)
    start = min(max(round(column.median or 0.0, decimals), low), high)
    span = {"low": low, "high": high, "decimals": decimals}
    return {**_field(column), **span, "start": start, "curve": points.tolist()}


def _category(column: Column, cells: npt.NDArray[Any]) -> dict[str, Any]:
    counts = Counter(cells.tolist())
    frequent = sorted(column.words, key=lambda word: -counts[word])[:MOST_WORDS]
    start = max((*frequent[:1], ""), key=lambda word: counts[word])
    shown = [word for word in column.words if word in set(frequent)] + ([""] if column.has_missing else [])
    return {**_field(column), "words": column.words, "start": start, "curve": shown}


def _date(column: Column, cells: npt.NDArray[Any]) -> dict[str, Any]:
    named = column.reading.dates if column.reading else ""
    words = pd.Series(sorted({str(cell) for cell in cells if cell}), dtype=object)
    day_first = named == "day_month_year"
    times = pd.to_datetime(words, format="mixed", dayfirst=day_first, utc=True, errors="coerce").dropna().sort_values()
    times = times.iloc[:: max(1, math.ceil(len(times) / POINTS))]
    curve = words[times.index].tolist()
    start = curve[len(curve) // 2] if curve else ""
    about = {"pattern": pattern(named), "example": EXAMPLES[named], "times": [time.timestamp() for time in times]}
    return {**_field(column), **about, "start": start, "curve": curve}


def _field(column: Column) -> dict[str, Any]:
    return {"name": column.name, "title": column.source, "kind": column.kind, "has_missing": column.has_missing}


_FIELDS: Mapping[str, Callable[[Column, npt.NDArray[Any]], dict[str, Any]]] = {
    "numeric": _numeric,
    "category": _category,
    "date": _date,
}


def _partial_dependence(
    model: Model, rows: Dataset, name: str, values: Sequence[Any], sums: Mapping[str, Mapping[str, Any]]
) -> list[list[float | None]]:
    """Returns the mean outputs over the rows, (values, units), with each value in this column (Friedman 2001)."""
    if not values:
        return []
    cells = {each: np.tile(column, len(values)) for each, column in rows.columns.items()}
    cells[name] = np.repeat(np.array(values, dtype=cells[name].dtype), len(rows))
    for made, recipe in sums.items():
        cells[made] = np.sum([cells[each] for each in recipe["of"]], axis=0) + recipe["plus"]
    answers = model.network({each: tf.constant(column[:, None]) for each, column in cells.items()}, training=False)
    means = np.asarray(answers, np.float64).reshape(len(values), len(rows), -1).mean(axis=1)
    return [[value if math.isfinite(value) else None for value in each] for each in means.tolist()]
