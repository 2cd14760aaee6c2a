"""Keeps in run.json by which id each tracking service knows a run."""

from __future__ import annotations

from typing import Any

from dltrain.record.run_directory import RunDirectory


def recorded_run(directory: RunDirectory, config_key: str) -> dict[str, Any]:
    """Returns what the tracker at a config key recorded of this run before it was interrupted; empty for a new run."""
    known: dict[str, Any] = directory.facts.get("tracking") or {}
    of_earlier_version = {} if _by_name(known) else known  # which had one tracker, without a name
    return dict(known.get(_name(config_key), of_earlier_version))


def record_run(directory: RunDirectory, config_key: str, **facts: str) -> None:
    """Records facts of the tracker at a config key, under its name.

    Those of the first tracker stand beside the names too, where earlier versions had those of the only one.
    """
    known, name = directory.facts.get("tracking") or {}, _name(config_key)
    flat = known if _by_name(known).keys() - {name} else facts
    directory.record(tracking={**flat, **({name: facts} if name else {})})


def _by_name(known: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in known.items() if isinstance(each, dict)}


def _name(config_key: str) -> str:
    return config_key.partition(".")[2]
