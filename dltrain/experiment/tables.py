"""Prints the tables of folds or seeds: one row for each, then their mean and spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from dltrain.base.console import show_sentence, show_table
from dltrain.base.plain_table import number

MOST_ROWS = 30  # with more trainings only their mean is printed


def show_folds(console: Console, summary: Mapping[str, Any]) -> None:
    """Prints the metrics of each fold, mean and standard deviation, and the baselines' means.

    `summary` is the content of cv/summary.json. A metric that is undefined on every fold, as an area under a curve is
    where a fold has a single row, is printed for the rows of all folds together.
    """
    folds = summary["folds"]
    nowhere = [name for name, value in summary["mean"].items() if math.isnan(value)]
    names = [name for name in summary["mean"] if name not in nowhere]
    rows = [
        [str(fold["fold"]), f"{fold['rows']:,}", str(fold["best_epoch"]), *(number(fold[name]) for name in names)]
        for fold in folds
    ]
    baselines = {name: ["", "", *_mean_and_sd(scores, names)] for name, scores in summary["baselines"].items()}
    mean = ["", "", *_mean_and_sd(summary, names)]
    _show(
        console, f"cross-validation, {len(folds)} folds", ["fold", "rows", "best epoch", *names], rows, mean, baselines
    )
    for name in nowhere:
        sentence = f"{name} is not defined on the rows of a single fold"
        together = summary["out_of_fold"].get(name, math.nan)
        if not math.isnan(together):
            sentence += f"; on those of all folds together it is {number(together)}"
        show_sentence(console, f"{sentence}.")


def _mean_and_sd(scores: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> list[str]:
    return [
        f"{number(scores['mean'][name])} ± {number(scores['sd'][name])}" if name in scores["mean"] else ""
        for name in names
    ]


def _show(
    console: Console,
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    mean: Sequence[str],
    baselines: Mapping[str, Sequence[str]],
    interval: Sequence[str] | None = None,
) -> None:
    shown = list(rows) if len(rows) <= MOST_ROWS else []
    styles = {len(shown): "bold"} | {len(shown) + place: "dim" for place in range(1, len(baselines) + 1)}
    shown.append(["mean", *mean])
    shown += [[f"{name} (baseline)", *cells] for name, cells in baselines.items()]
    shown += [["95 % interval", *interval]] if interval else []
    show_sentence(console, title, "italic")
    show_table(console, header, shown, header[1:], styles)


def show_seeds(console: Console, summary: Mapping[str, Any]) -> None:
    """Prints the metrics of each seed on the last part that was scored, their mean, standard deviation and interval.

    `summary` is the key `seeds` of metrics.json.
    """
    runs = summary["runs"]
    part = next(part for part in ("test", "validation", "train") if part in summary)
    names = list(summary[part]["mean"])
    rows = [[str(run["seed"]), str(run["best_epoch"]), *(number(run[part][name]) for name in names)] for run in runs]
    baselines = {name: ["", *_mean_and_sd(scores[part], names)] for name, scores in summary["baselines"].items()}
    intervals = summary[part]["interval"]
    between = [" to ".join(map(number, intervals[name])) if name in intervals else "" for name in names]
    mean = ["", *_mean_and_sd(summary[part], names)]
    header = ["seed", "best epoch", *names]
    _show(console, f"{len(runs)} seeds, {part}", header, rows, mean, baselines, ["", *between])
