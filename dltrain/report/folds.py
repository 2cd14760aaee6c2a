"""Prepares a cross-validated run for its report: the scored folds replace the validation part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dltrain.record.record import Record


@dataclass(frozen=True)
class Folds:
    """What the folds of a run give its report."""

    metrics: dict[str, Any]  # those of the run, with the mean over the folds as `validation`
    rows: int  # the number of rows outside the test part, each of which is in a scored fold
    # The values of each epoch by name, averaged over the folds, up to the end of the shortest
    history: Sequence[Mapping[str, float]]
    each: Sequence[Mapping[str, Any]]  # the entry of every fold in cv/summary.json
    deviation: Mapping[str, float]  # the standard deviation over the folds, by metric


def read_folds(record: Record, rows: Mapping[str, int]) -> Folds | None:
    """Reads the folds of a run; None if it is not cross-validated. `rows` counts the rows of each part."""
    summary = record.folds
    if summary is None:
        return None
    metrics = dict(record.metrics)
    metrics["validation"] = summary["mean"]
    metrics["baselines"] = {
        name: scores | {"validation": summary["baselines"].get(name, {}).get("mean", {})}
        for name, scores in metrics.get("baselines", {}).items()
    }
    histories = [history for name, history in record.histories.items() if name.startswith("fold")]
    together = [
        {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]} for rows in zip(*histories, strict=False)
    ]
    return Folds(metrics, rows["train"] + rows.get("validation", 0), together, summary["folds"], summary["sd"])
