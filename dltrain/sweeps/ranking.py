"""Ranks the jobs of a sweep by the monitored value or by the objectives of its search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dltrain.config.fingerprint import EARLIER_DEFAULTS, WITHOUT_INFLUENCE, group_of
from dltrain.config.metric_traits import traits_by_name
from dltrain.config.recipes import recipe_of
from dltrain.config.search_objectives import COSTS
from dltrain.sweeps.ledger import Entry

LOSS_GROUPS = ("regularizer", "task")  # groups that change the terms of the loss


def better_way(entries: Sequence[Entry]) -> str:
    """Returns `min` or `max`, from the first job or else from the name of its value; `min` if neither tells."""
    first = next((entry for entry in entries if entry.monitor), None)
    return (first and (first.direction or traits_by_name(first.monitor or "").direction)) or "min"


def ranked(entries: Sequence[Entry], way: str | None = None) -> list[Entry]:
    """Returns the completed jobs with a finite value, the best first; equal ones stay in the order of the jobs.

    `way` is `min` or `max`; None takes that of the jobs.
    """
    scored = [entry for entry in entries if entry.status == "completed" and finite(entry.value)]
    sign = -1 if (way or better_way(scored)) == "max" else 1
    return sorted(scored, key=lambda entry: sign * (entry.value or 0.0))


def finite(value: float | None) -> bool:
    """Returns whether there is a number that can be compared."""
    return value is not None and math.isfinite(value)


def swept_keys(entries: Sequence[Entry]) -> list[str]:
    """Returns the keys in which the jobs differ, in the order of their words."""
    settings = [settings_of(entry) for entry in entries]
    keys = list(dict.fromkeys(key for each in settings for key in each))
    return [key for key in keys if len({each.get(key) for each in settings}) > 1]


def settings_of(entry: Entry) -> dict[str, str]:
    """Returns the overrides of a job as keys and values, without those that do not influence its numbers.

    Of a job that follows a recipe these are the recipe's name, under `recipe`, and what was drawn.
    """
    if found := recipe_of(entry.overrides):
        name, drawn = found
        return {"recipe": name, **{key: value for key, _, value in (word.partition("=") for word in drawn)}}
    words = {key.lstrip("+~"): value for key, _, value in (word.partition("=") for word in entry.overrides)}
    hidden = {*WITHOUT_INFLUENCE, *EARLIER_DEFAULTS}
    return {key: value for key, value in words.items() if key not in hidden and group_of(key) not in hidden}


def cautions(entries: Sequence[Entry]) -> list[str]:
    """Returns a sentence for each reason why the monitored values of some jobs do not compare."""
    done = [entry for entry in entries if entry.status == "completed"]
    found = []
    monitors = list(dict.fromkeys(entry.monitor for entry in done if entry.monitor))
    if len(monitors) > 1:
        found.append(f"the jobs go by different values ({', '.join(monitors)}), so that their order means nothing.")
    changing = [key for key in swept_keys(done) if key.split(".")[0] in LOSS_GROUPS]
    if changing and monitors and monitors[0].endswith("loss"):
        # One that every job has: another task has other metrics.
        others = [name for name in done[0].metrics if name != "loss" and all(name in each.metrics for each in done)]
        instead = f" Compare by another: task.monitor=val_{others[0]}." if others else ""
        found.append(f"{monitors[0]} is not the same sum in jobs that differ in {' and '.join(changing)}.{instead}")
    if len({entry.data for entry in done if entry.data}) > 1:
        found.append("the jobs have different data, and their values compare only as far as the rows are the same.")
    return found


def values_of(entry: Entry, names: Sequence[str]) -> list[float] | None:
    """Returns the objectives of a finished job; None if one is missing or not finite."""
    found = [_value(entry, name) for name in names]
    return [float(value) for value in found if value is not None] if all(finite(value) for value in found) else None


def _value(entry: Entry, name: str) -> float | None:
    if name in COSTS:
        cost = getattr(entry, name)
        return None if cost is None else float(cost)
    return entry.value if name == entry.monitor else entry.metrics.get(name.removeprefix("val_"))


def best_first(entries: Sequence[Entry], objectives: Mapping[str, str]) -> list[Entry]:
    """Returns the completed jobs that have every objective; those equal in the first one are ordered by the next.

    `objectives` gives `min` or `max` by name; without any, the monitored value decides.
    """
    if not objectives:
        return ranked(entries)
    signs = [-1.0 if way == "max" else 1.0 for way in objectives.values()]
    found = [(entry, values_of(entry, list(objectives))) for entry in entries if entry.status == "completed"]
    scored = [
        (tuple(sign * value for sign, value in zip(signs, values, strict=True)), entry)
        for entry, values in found
        if values
    ]
    return [entry for _, entry in sorted(scored, key=lambda pair: pair[0])]
