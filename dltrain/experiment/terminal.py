"""Prints what a person sees of a run: a header before the training and a table at the end."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dltrain.base.console import show_sentence, show_table
from dltrain.base.plain_table import digits, number
from dltrain.base.printable import printable
from dltrain.base.shell_words import quoted
from dltrain.experiment.decisions import is_fitted
from dltrain.scoring.evaluation import Results

logger = logging.getLogger("dltrain")


def show_header(console: Console, facts: Mapping[str, str], *, quiet: bool) -> None:
    """Prints and logs what will be done, one fact in each line."""
    grid = Table.grid(padding=(0, 2))
    for name, text in facts.items():
        grid.add_row(Text(name, "bold"), Text(printable(text)))
        logger.debug("%s: %s", name, text)
    if not quiet:
        console.print(grid)


def show_results(console: Console, results: Results, directory: Path, *, averaged: bool) -> None:
    """Prints the final table: one row for each metric, one column for each part, and the baselines on the last part.

    `averaged` tells whether the model is the mean of several, each with its own best epoch.
    """
    parts = list(results.metrics)
    last = parts[-1]
    if not averaged:
        title = f"best epoch {results.best_epoch} of {results.epochs}"
        if results.seeds:
            title = f"seed {results.seeds['runs'][0]['seed']}, whose files are kept: {title}"
        show_sentence(console, title, "italic")
    header = ["metric", *(f"{part} (fitted)" if is_fitted(results.decisions, part) else part for part in parts)]
    if last in results.intervals:
        header.append("95 % interval")
    header += [f"{baseline} ({last})" for baseline in results.baselines]
    rows = []
    for name in results.metrics[last]:
        row = [name, *(number(results.metrics[part].get(name)) for part in parts)]
        if last in results.intervals:
            interval = results.intervals[last].get(name)
            row.append(f"{number(interval[0])} to {number(interval[1])}" if interval else "")
        row += [number(scores.get(last, {}).get(name)) for scores in results.baselines.values()]
        rows.append(row)
        logger.debug("%s: %s", name, ", ".join(f"{part} {results.metrics[part].get(name)}" for part in parts))
    show_table(console, header, rows, header[1:])
    verdict = results.difference.sentence()
    show_sentence(console, verdict, "" if results.difference.beats else "yellow")
    logger.debug(verdict)
    for note in results.notes:
        show_sentence(console, note, "dim")
        logger.debug(note)
    console.print(Text.assemble(("run", "bold"), f"  {printable(str(directory))}"), soft_wrap=True)


def show_how_to_go_on(console: Console, facts: Mapping[str, Any], directory: Path) -> None:
    """Prints how far an interrupted run got and the command that continues it; `facts` are those of its run.json."""
    reached = facts.get("reached", {"epoch": 0, "epochs": None, "metrics": {}})
    values = ", ".join(f"{name} {digits(value, 4)}" for name, value in reached["metrics"].items())
    after = (
        f"after epoch {reached['epoch']} of {reached['epochs']} ({values})" if reached["epoch"] else "before epoch 1"
    )
    command = escape(quoted(directory))
    text = f"[bold]interrupted[/bold] {after}\n[bold]go on with[/bold]  dltrain resume {command}"
    console.print(text, soft_wrap=True, highlight=False)
