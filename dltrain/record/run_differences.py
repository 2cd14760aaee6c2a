"""Finds in what recorded runs differ: settings, data, packages, commit and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltrain.config.settings import differing
from dltrain.record.record import Record


def sections_of(runs: Mapping[str, Record]) -> dict[str, dict[str, list[Any]]]:
    """Returns all metrics, and whatever else differs, by section and key, with a value for each run."""
    records = list(runs.values())
    choices = [dict(run.choices) for run in records]
    # A run of an earlier version does not say which task it found.
    if any(each.get("task") == "auto" for each in choices):
        choices = [{group: option for group, option in each.items() if group != "task"} for each in choices]
    every = [{**run.settings, **chosen} for run, chosen in zip(records, choices, strict=True)]
    keys = differing([(chosen, run.settings) for run, chosen in zip(records, choices, strict=True)])
    data = [_mapping(run.facts.get("data")) for run in records]
    packages = [_mapping(run.facts.get("versions")) for run in records]
    commits = [commit_of(run.facts.get("git")) for run in records]
    parts = ("train", "validation", "test")
    scores = [
        {f"{part} {name}": value for part in parts for name, value in run.scores(part).items()} for run in records
    ]
    return {
        "settings": {key: [values.get(key) for values in every] for key in keys},
        "data": _unequal({key: [each.get(key) for each in data] for key in ("name", "rows", "sha256")}),
        "packages": _unequal(
            {key: [each.get(key) for each in packages] for key in dict.fromkeys(k for p in packages for k in p)}
        ),
        "git": _unequal({"commit": commits}),
        "metrics": {key: [each.get(key) for each in scores] for key in dict.fromkeys(k for s in scores for k in s)}
        | {"best epoch": [run.metrics.get("best_epoch") for run in records]}
        | {"seconds": [run.facts.get("seconds") for run in records]},
    }


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def commit_of(git: Any) -> str | None:
    """Returns the first letters of a recorded commit, with the number of changed files; None if there is none."""
    found = _mapping(git)
    if not found.get("commit"):
        return None
    changed = found.get("changed_files")
    return str(found["commit"])[:12] + (f" and {changed} changed files" if changed else "")


def _unequal(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {key: values for key, values in rows.items() if values.count(values[0]) < len(values)}
