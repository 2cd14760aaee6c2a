"""Writes results.csv and best.json of a sweep, and shows the leaderboard and how to train the winner again."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console
from rich.markup import escape

from dltrain.base.console import show_sentence, show_table, standard_output
from dltrain.base.files import replace_file
from dltrain.base.plain_table import number
from dltrain.base.shell_words import command, quoted
from dltrain.config.fingerprint import SWEEP_GROUPS, group_of
from dltrain.config.recipes import recipe_of
from dltrain.config.search_objectives import by_objectives
from dltrain.sweeps.importance import importance
from dltrain.sweeps.ledger import Entry, Ledger
from dltrain.sweeps.ranking import cautions, finite, settings_of, swept_keys
from dltrain.sweeps.standings import Setting, Standings, like_the_best, standings
from dltrain.sweeps.start import is_sweep, read_record

# Keys that the command for the winner leaves out.
LEFT_OUT_KEYS = (*SWEEP_GROUPS, "score_test", "quiet", "report", "require_beats_baseline")
LEADERBOARD_ROWS = 20  # of the leaderboard; results.csv has all


def summarise(sweep: Path, config: DictConfig, *, quiet: bool) -> None:
    """Writes the result of a sweep, and shows it unless `quiet`."""
    entries = Ledger(sweep).entries()
    objectives = by_objectives(config)
    stand = standings(entries, objectives)
    keys = swept_keys(entries)
    _write_results(sweep, entries, keys)
    weights = importance(stand.entries, stand.way)
    content: dict[str, Any] = {"jobs": len(entries), "importance": weights or None}
    if rounds := ((config.search or {}).get("sampler") or {}).get("rounds"):
        content["rounds"] = rounds  # into which the jobs are divided, in their order
    if objectives:
        content["objectives"] = objectives
    if warnings := cautions(stand.entries):
        content["cautions"] = warnings
    if stand.settings:
        content |= _best(sweep, stand)
    if stand.front:
        content["pareto_front"] = [
            {"job": each.entries[0].job, "overrides": each.entries[0].overrides, **point} for each, point in stand.front
        ]
    with replace_file(sweep / "best.json") as path:
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if not quiet:
        _show(sweep, stand, keys, weights, warnings)


def _write_results(sweep: Path, entries: Sequence[Entry], keys: Sequence[str]) -> None:
    metrics = list(dict.fromkeys(name for entry in entries for name in entry.metrics))
    monitor = next((entry.monitor for entry in entries if entry.monitor), None) or "value"
    facts = ("epochs", "best_epoch", "parameters", "seconds", "reason")
    with replace_file(sweep / "results.csv") as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["job", "status", *keys, monitor, *(f"validation_{name}" for name in metrics), *facts])
        for entry in entries:
            words = settings_of(entry)
            row = [entry.job, entry.status, *(words.get(key, "") for key in keys), entry.value]
            row += [entry.metrics.get(name) for name in metrics]
            writer.writerow([*row, *(getattr(entry, name) for name in facts)])


def _best(sweep: Path, stand: Standings) -> dict[str, Any]:
    first = stand.settings[0]
    entry = first.entries[0]
    return {
        "job": entry.job,
        "path": str(sweep / entry.job),
        "overrides": entry.overrides,
        "monitor": entry.monitor,
        "direction": stand.way,
        "value": first.mean,
        "standard_deviation": first.deviation,
        **({"on_pareto_front": True} if stand.front else {}),
        "command": winner_command(sweep, entry),
    }


def winner_command(sweep: Path, entry: Entry) -> str:
    """Returns the command that trains a job's configuration again and scores its test part."""
    words = read_record(sweep)["words"] if is_sweep(sweep) else []
    flags: list[str] = []
    for place, word in enumerate(words):
        if word.startswith(("--config-dir", "--config-name", "--config-path", "-cd", "-cn", "-cp")):
            flags += [word] if "=" in word else words[place : place + 2]
    own = [word for word in entry.overrides if group_of(word) not in LEFT_OUT_KEYS]
    overrides = [word for word in own if not word.lstrip("+~").startswith("callbacks.pruning")]
    return command(["dltrain", *flags, *overrides, "score_test=always"])


def _show(
    sweep: Path, stand: Standings, keys: Sequence[str], weights: dict[str, float], warnings: Sequence[str]
) -> None:
    entries, found = stand.entries, stand.settings
    console = standard_output()
    counts = {status: sum(entry.status == status for entry in entries) for status in ("completed", "pruned", "failed")}
    console.print("\n[bold]sweep[/bold]  " + ", ".join(f"{count} {name}" for name, count in counts.items() if count))
    if found:
        _show_leaderboard(console, found, keys)
    for caution in warnings:
        console.print(f"[yellow]caution[/yellow]  {escape(caution)}", soft_wrap=True)
    if weights:
        console.print("importance  " + ", ".join(f"{escape(key)} {share:.0%}" for key, share in weights.items()))
    for place, (each, point) in enumerate(stand.front):
        words = ", ".join(f"{name} {value:.6g}" for name, value in point.items())
        winner = "" if place else f" (the winner, by {found[0].entries[0].monitor})"
        console.print(f"Pareto front  job {each.entries[0].job}: {words}{winner}", soft_wrap=True)
    for entry in entries:
        if entry.status == "failed":
            words = " ".join(f"{key}={value}" for key, value in settings_of(entry).items() if key in keys)
            which = f"{entry.job} ({escape(words)})" if words else entry.job  # a single job differs from none
            reason = " ".join((entry.reason or "").split())
            console.print(f"[red]failed[/red]  job {which}: {escape(reason)}", soft_wrap=True)
    if counts["failed"]:
        console.print(f"to repeat the failed: dltrain resume {quoted(sweep)} --retry-failed", soft_wrap=True)
    if found and recipe_of(found[0].entries[0].overrides) is None:  # else an ensemble is the winner
        console.print("train the winner again, and score its test part once:")
        console.print(f"  {escape(winner_command(sweep, found[0].entries[0]))}", soft_wrap=True)
    console.print(f"[bold]sweep[/bold]  {escape(str(sweep))}", soft_wrap=True)


def _show_leaderboard(console: Console, found: Sequence[Setting], keys: Sequence[str]) -> None:
    repeated = max(len(each.values) for each in found) > 1
    like = like_the_best(found) if len(found) > 1 else None
    columns = [key for key in keys if key != "seed" or not any(len(each.entries) > 1 for each in found)]
    ordering = (found[0].entries[0].monitor or "").removeprefix("val_")
    others = [name for name in found[0].entries[0].metrics if name not in ("loss", ordering)][:3]
    spread = ["sd", *(["like the best"] if like is not None else [])] if repeated else []
    numbers = [found[0].entries[0].monitor or "value", "sd", *others, "epochs", "seconds"]
    # Recipes have many keys, whose last names tell them apart.
    names = [key.rpartition(".")[2] for key in columns] if recipe_of(found[0].entries[0].overrides) else columns
    header = ["job", *names, numbers[0], *spread, *others, "epochs", "seconds"]
    rows = []
    for place, each in enumerate(found[:LEADERBOARD_ROWS]):
        first = each.entries[0]
        words = settings_of(first)
        row = [" ".join(entry.job for entry in each.entries), *(words.get(key, "") for key in columns)]
        row.append(number(each.mean))
        if repeated:
            row.append(f"{each.deviation:.2g}" if each.deviation is not None else "")
            row += ["best" if place == 0 else "yes" if like[place] else "no"] if like is not None else []
        for name in others:
            values = [value for entry in each.entries if finite(value := entry.metrics.get(name)) and value is not None]
            row.append(number(sum(values) / len(values)) if values else "")
        row += [str(first.epochs or ""), f"{sum(entry.seconds or 0 for entry in each.entries):.1f}"]
        rows.append(row)
    show_table(console, header, rows, numbers)
    if len(found) > LEADERBOARD_ROWS:
        console.print(f"… and {len(found) - LEADERBOARD_ROWS} more in results.csv")
    if len(found) > 1:
        show_sentence(console, _verdict(like), "dim")


def _verdict(like: list[bool] | None) -> str:
    if like is None:
        return (
            "one split and one seed each: no test tells these apart. "
            "Sweep seed=1,2,3,4,5 too and the differences are tested."
        )
    return "like the best: not distinguishable from it, paired t test over folds or seeds, Holm's correction, 5 %"
