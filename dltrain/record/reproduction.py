"""Tells what differs between a run and its repetition, and by how much."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from dltrain.config.settings import flat
from dltrain.record.record import Record

EXACT = "exact"  # the entry of metrics.json with the names of the areas that are computed from ranks

Table = list[dict[str, str]]


@dataclass(frozen=True)
class Change:
    """One thing in which two runs differ."""

    where: str  # data, config, versions, git, history, metrics or predictions
    name: str  # the key, package or column
    sentence: str  # what it was and what it is now
    # The largest absolute difference of numbers, infinite if one is missing; None without numbers
    largest: float | None
    matters: bool  # whether the repetition fails for it; versions and commits are only told


def differences(before: Record, after: Record) -> list[Change]:
    """Returns everything in which the run `after` differs from the run `before` that it repeats."""
    return [
        *_data(before, after),
        *_settings(before, after),
        *_environment(before, after),
        *_tables("history", _rows(before.path / "history.csv"), _rows(after.path / "history.csv")),
        *_metrics(before.metrics, after.metrics),
        *_tables("predictions", _rows(before.path / "predictions.csv"), _rows(after.path / "predictions.csv")),
    ]


def _data(before: Record, after: Record) -> list[Change]:
    one, other = (record.facts.get("data") or {} for record in (before, after))
    return _unlike("data", one, other, ("sha256", "rows"))


def _settings(before: Record, after: Record) -> list[Change]:
    one, other = (flat(_lists_as_mappings(OmegaConf.to_container(record.config))) for record in (before, after))
    return _unlike("config", one, other, sorted(set(one) | set(other)))


def _unlike(
    where: str, one: Mapping[str, Any], other: Mapping[str, Any], names: Sequence[str], *, matters: bool = True
) -> list[Change]:
    return [
        Change(where, name, f"was {one.get(name)}, is {other.get(name)}", None, matters)
        for name in names
        if one.get(name) != other.get(name)
    ]


def _environment(before: Record, after: Record) -> list[Change]:
    one, other = (record.facts.get("versions") or {} for record in (before, after))
    found = _unlike("versions", one, other, sorted(set(one) | set(other)), matters=False)
    commits = [record.facts.get("git") or {} for record in (before, after)]
    found += _unlike("git", commits[0], commits[1], ["commit"], matters=False)
    for when, commit in zip(("the first run", "this run"), commits, strict=True):
        if commit.get("changed_files"):
            sentence = f"{when} had {commit['changed_files']} files that were not committed"
            found.append(Change("git", "changed_files", sentence, None, matters=False))
    return found


def _metrics(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Change]:
    left, right = flat(_lists_as_mappings(one)), flat(_lists_as_mappings(other))
    changes = [
        found
        for key in sorted(set(left) | set(right))
        if (found := _compared("metrics", key, [left.get(key)], [right.get(key)]))
    ]
    # Older versions counted areas over thresholds. The predictions, which decide them, are compared by themselves.
    exact = {*other.get(EXACT, ())} if EXACT not in one else set()
    if str(other.get("monitor", "")).removeprefix("val_") in exact:
        exact |= {"best_value", "monitored"}
    told_anew = dict.fromkeys({EXACT, "notes", "intervals", "area"} | exact if exact else (), "areas are exact now")
    if "repeats" not in one.get("difference", {}):
        told_anew |= dict.fromkeys(("difference", "baselines"), "baselines are compared by another rule now")
    return [
        replace(change, matters=False, sentence=f"{change.sentence} ({told_anew[names[0]]})") if names else change
        for change in changes
        for names in [[name for name in change.name.split(".") if name in told_anew]]
    ]


def _lists_as_mappings(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {str(key): _lists_as_mappings(value) for key, value in node.items()}
    return (
        {str(place): _lists_as_mappings(value) for place, value in enumerate(node)} if isinstance(node, list) else node
    )


def _tables(where: str, one: Table, other: Table) -> list[Change]:
    if len(one) != len(other):
        return [Change(where, "rows", f"was {len(one)}, is {len(other)}", None, matters=True)]
    columns = list(dict.fromkeys(name for row in [*one[:1], *other[:1]] for name in row))
    return [
        found
        for name in columns
        if (found := _compared(where, name, [row.get(name) for row in one], [row.get(name) for row in other]))
    ]


def _compared(where: str, name: str, one: Sequence[Any], other: Sequence[Any]) -> Change | None:
    """Returns the difference of two columns, or None if all cells are equal to the last digit."""
    unlike = [(left, right) for left, right in zip(one, other, strict=True) if left != right]
    if not unlike:
        return None
    numbers = [(_number(left), _number(right)) for left, right in unlike]
    if all(left is None and right is None for left, right in numbers):
        return Change(where, name, f"{len(unlike)} of {len(one)} values differ", None, matters=True)
    apart = [math.inf if left is None or right is None else abs(left - right) for left, right in numbers]
    largest = max(math.inf if math.isnan(each) else each for each in apart)
    sentence = f"{len(unlike)} of {len(one)} values differ, by {largest:.3g} at most"
    return Change(where, name, sentence, largest, matters=True)


def _number(cell: Any) -> float | None:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


def _rows(path: Path) -> Table:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
