"""Prepares a cross-validated run for its report: the scored folds replace the validation part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dltrain.base.plain_table import number
from dltrain.record.record import Record
from dltrain.report.svg import ACCENT, MUTED, SECOND, Picture, draw


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


def folds_picture(folds: Folds, metric: str) -> Picture:
    """Draws a dot for each fold, and the band of their mean and standard deviation."""
    values = np.array([float(fold[metric]) for fold in folds.each])
    mean, deviation = float(folds.metrics["validation"][metric]), folds.deviation[metric]

    def plot(axes: Axes) -> None:
        places = np.arange(len(values))
        axes.axhspan(mean - deviation, mean + deviation, color=ACCENT, alpha=0.15, linewidth=0)
        axes.axhline(mean, color=ACCENT, linewidth=1.2)
        axes.plot(places, values, "o", color=SECOND, markersize=7)
        if len(values) <= 20:
            axes.set_xticks(places, [str(fold["fold"]) for fold in folds.each])
        axes.set(xlabel="fold", ylabel=metric)
        axes.text(
            0.99, mean, "mean", transform=axes.get_yaxis_transform(), color=MUTED, size=8, ha="right", va="bottom"
        )
        axes.set_xlim(-0.5, len(values) - 0.5)

    message = (
        f"{metric} of each of {len(values)} folds, from {number(values.min())} to {number(values.max())}; the line is "
        f"their mean {number(mean)}, the band one standard deviation, {number(deviation)}, to either side."
    )
    return draw("folds", f"{metric} of each fold", message, plot, left=0.16)
