"""Prints the tables of folds or seeds: one row for each, then their mean and spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from dltrain.experiment.terminal import number

MOST_ROWS = 30  # with more trainings only their mean is printed


def show_folds(console: Console, summary: Mapping[str, Any]) -> None:
    """Prints the metrics of each fold, mean and standard deviation, and the baselines' means.

    `summary` is the content of cv/summary.json. A metric that is undefined on every fold, as an area under a curve is
    where a fold has a single row, is printed for the rows of all folds together.
    """
    folds = summary["folds"]
    nowhere = [name for name, value in summary["mean"].items() if math.isnan(value)]
    names = [name for name in summary["mean"] if name not in nowhere]
    table = _table(f"cross-validation, {len(folds)} folds", ["fold", "rows", "best epoch", *names])
    if len(folds) <= MOST_ROWS:
        for fold in folds:
            cells = [str(fold["fold"]), f"{fold['rows']:,}", str(fold["best_epoch"])]
            table.add_row(*cells, *(number(fold[name]) for name in names))
    table.add_row("mean", "", "", *_mean_and_sd(summary, names), style="bold")
    for baseline, scores in summary["baselines"].items():
        table.add_row(f"{baseline} (baseline)", "", "", *_mean_and_sd(scores, names), style="dim")
    console.print(table)
    for name in nowhere:
        sentence = f"{name} is not defined on the rows of a single fold"
        together = summary["out_of_fold"].get(name, math.nan)
        if not math.isnan(together):
            sentence += f"; on those of all folds together it is {number(together)}"
        console.print(f"{sentence}.", markup=False, highlight=False)


def _mean_and_sd(scores: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> list[str]:
    return [
        f"{number(scores['mean'][name])} ± {number(scores['sd'][name])}" if name in scores["mean"] else ""
        for name in names
    ]


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right")
    return table


def show_seeds(console: Console, summary: Mapping[str, Any]) -> None:
    """Prints the metrics of each seed on the last part that was scored, their mean, standard deviation and interval.

    `summary` is the key `seeds` of metrics.json.
    """
    runs = summary["runs"]
    part = next(part for part in ("test", "validation", "train") if part in summary)
    names = list(summary[part]["mean"])
    table = _table(f"{len(runs)} seeds, {part}", ["seed", "best epoch", *names])
    if len(runs) <= MOST_ROWS:
        for run in runs:
            table.add_row(str(run["seed"]), str(run["best_epoch"]), *(number(run[part][name]) for name in names))
    table.add_row("mean", "", *_mean_and_sd(summary[part], names), style="bold")
    for baseline, scores in summary["baselines"].items():
        table.add_row(f"{baseline} (baseline)", "", *_mean_and_sd(scores[part], names), style="dim")
    intervals = summary[part]["interval"]
    between = [" to ".join(map(number, intervals[name])) if name in intervals else "" for name in names]
    table.add_row("95 % interval", "", *between)
    console.print(table)
