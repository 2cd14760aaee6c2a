"""Lists the runs below a folder, to be filtered, sorted and grouped by sweep."""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.base.plain_table import setting
from dltrain.config.tasks import TASKS
from dltrain.record.record import Record

# The main metric of a run is the first of these that it has.
MAIN_METRICS = (*dict.fromkeys(task.row_measure for task in TASKS.values()), "loss")
SWEEPS = frozenset({"sweep.json", "multirun.yaml"})  # Hydra writes multirun.yaml for its own sweepers
_CONDITION = re.compile(r"([^=<>!]+)(=|!=|<=|>=|<|>)(.*)", re.DOTALL)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Row:
    """One run in a list of runs."""

    run: str  # the path of its directory
    sweep: str | None  # the directory of its sweep; None for a single run
    # All that can be sorted and filtered by: started, status, dataset, model, metric (the main one), validation and
    # test (its values; over folds or seeds the mean), `part.metric`, each group's option and each setting
    values: dict[str, Any]
    choices: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    fault: str = ""  # what is damaged; empty if everything could be read
    rises: bool = False
    words: list[str] = field(default_factory=list)  # the overrides that were typed
    # The 95 % interval of the main metric on the test part; None if there is none
    interval: list[float] | None = None


def rows_below(folder: Path, read: Callable[[str, str | None], Row] | None = None) -> list[Row]:
    """Returns all runs below a folder, the newest first; a damaged run is included with its fault.

    `read` makes the row of a run's directory and that of its sweep; None takes `read_row`.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"There is no folder '{folder}'. Runs are written below outputs/; name another: dltrain runs DIR."
        )
    rows = []
    sweeps: set[str] = set()
    for path, folders, files in os.walk(folder):
        if not SWEEPS.isdisjoint(files):
            sweeps.add(path)
        if "run.json" in files or ".hydra" in folders:
            parent = os.path.dirname(path)  # noqa: PTH120 - a Path for each of thousands costs more than all the rest
            rows.append((read or read_row)(path, parent if parent in sweeps else None))
            folders.clear()
        else:
            folders[:] = sorted(name for name in folders if not name.startswith("."))
    rows.sort(key=lambda row: (str(row.values.get("started") or ""), row.run), reverse=True)
    return rows


def read_row(path: str, sweep: str | None) -> Row:
    """Reads the row of a run; what cannot be read becomes its fault."""
    try:
        record = Record(path)
        facts, choices, settings = record.facts, record.choices, record.settings
        metrics = {part: scores for part in ("train", "validation", "test") if (scores := record.scores(part))}
        model = choices.get("model") or str(settings.get("model._target_", "")).rpartition(".")[2]
        main = main_metric(metrics.get("validation") or metrics.get("test") or {})
        values = {
            **settings,
            **choices,
            "run": path,
            "sweep": sweep,
            "started": facts.get("started"),
            "status": record.status,
            "dataset": _dataset(facts, choices, settings),
            "model": model or None,
            "metric": main,
            **{part: metrics.get(part, {}).get(str(main)) for part in ("validation", "test")},
            "seconds": facts.get("seconds"),
            "best_value": record.metrics.get("best_value"),
            "best_epoch": record.metrics.get("best_epoch"),
            "error": facts.get("error"),
            **{f"{part}.{name}": value for part, scores in metrics.items() for name, value in scores.items()},
        }
        rises = main is not None and record.traits(main).direction == "max"
        words = [str(word) for word in facts.get("overrides") or []]
        between = (record.metrics.get("intervals") or {}).get("test", {}).get(str(main))
        return Row(path, sweep, values, choices, settings, rises=rises, words=words, interval=between)
    except ConfigError as error:
        fault = str(error)
    except (AttributeError, TypeError, ValueError) as error:
        fault = f"run.json or metrics.json does not hold what a run writes ({error})"
    if not (Path(path) / "run.json").exists():
        fault = "no run.json: it ended before it began, or the file was lost"
    return Row(path, sweep, {"run": path, "sweep": sweep, "status": "damaged"}, fault=fault)


def _dataset(facts: dict[str, Any], choices: dict[str, Any], settings: dict[str, Any]) -> Any:
    """Returns the name of the data; a table of one's own is called after its file."""
    name = (facts.get("data") or {}).get("name") or choices.get("dataset") or settings.get("dataset.name")
    if name == "csv" and isinstance(path := settings.get("dataset.path"), str):
        return Path(path).name.partition(".")[0] or name
    return name


def main_metric(scores: Iterable[str]) -> str | None:
    """Returns the metric that stands for a run, such as accuracy for classes and rmse for numbers."""
    names = list(scores)
    return next((name for name in MAIN_METRICS if name in names), names[0] if names else None)


def keys_of(rows: Sequence[Row]) -> list[str]:
    """Returns all keys that the rows can be sorted and filtered by."""
    return list(dict.fromkeys(key for row in rows for key in row.values))


def sort_rows(rows: Sequence[Row], key: str) -> list[Row]:
    """Sorts rows by a value, ascending, or descending if the key begins with a minus; rows without it come last."""
    name = _known(rows, key.removeprefix("-"), "--sort")
    having = [row for row in rows if row.values.get(name) is not None]
    rest = [row for row in rows if row.values.get(name) is None]
    numbers = all(_number(row.values[name]) is not None for row in having)
    having.sort(
        key=lambda row: (_number(row.values[name]) or 0.0, "") if numbers else (0.0, str(row.values[name])),
        reverse=key.startswith("-"),
    )
    return having + rest


def filter_rows(rows: Sequence[Row], conditions: str) -> list[Row]:
    """Returns the rows that meet all conditions, such as `status=failed validation.auc>0.9 optimizer!=sgd`."""
    kept = list(rows)
    for word in conditions.split():
        match = _CONDITION.fullmatch(word)
        if match is None:
            raise ConfigError(
                f"--filter: '{word}' is not a condition. Expected key=value, key!=value, key<number or key>number."
            )
        key, sign, wanted = match.groups()
        key = _known(rows, key, "--filter")
        kept = [row for row in kept if _meets(row.values.get(key), sign, wanted)]
        if sign in _COMPARISONS and _number(wanted) is None:
            raise ConfigError(f"--filter: '{word}' compares with '{wanted}', expected a number.")
    return kept


def _meets(value: Any, sign: str, wanted: str) -> bool:
    number, limit = _number(value), _number(wanted)
    if sign in _COMPARISONS:
        return number is not None and limit is not None and _COMPARISONS[sign](number, limit)
    same = number == limit if number is not None and limit is not None else setting(value) == wanted
    return same is (sign == "=")


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _known(rows: Sequence[Row], key: str, flag: str) -> str:
    """Returns the full name of a key; a metric without a part is that of validation, which every finished run has."""
    names = {"when": "started", "time": "seconds"}
    known = keys_of(rows)
    for name in (names.get(key, key), f"validation.{key}"):
        if name in known or not rows:
            return name
    bare = [name.removeprefix("validation.") for name in known]
    raise ConfigError(f"{flag}: no run has a '{key}'.{did_you_mean(key, [*bare, *names])}")
