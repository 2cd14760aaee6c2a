"""Implements `dltrain runs`, which lists runs and sweeps with the settings in which they differ."""

from __future__ import annotations

import argparse
import csv
import datetime
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dltrain.api.listing import columns_of, differing_keys, find_rows, values_of
from dltrain.base import plain_table
from dltrain.base.errors import ConfigError
from dltrain.base.plain_table import cell, say, setting
from dltrain.base.show import CsvOutput, show, show_json
from dltrain.config.fingerprint import WITHOUT_INFLUENCE, group_of
from dltrain.record.listing import Row
from dltrain.record.winner import ENSEMBLE, winner
from dltrain.verbs import Verb, argument

DESCRIPTION = """\
Lists every run and sweep below a folder, the newest first: when, dataset, model, status, the main metric (accuracy of
classes, rmse of numbers) on validation and test, time, the settings in which the listed runs differ as far as they have
room, and the other words that were typed for each. What all of them share stands in one line above. A sweep is one row,
that of its best job by validation; --jobs lists each job.

The status `died` is a run whose process has gone without a word. Damaged directories are listed with their fault.
"""
EXAMPLES = """\
examples:
  dltrain runs
  dltrain runs outputs/2026-01-31 --sort -validation
  dltrain runs --filter 'status=failed optimizer=adam'
  dltrain runs --filter 'auc>0.9 seed<=3' --sort -auc --limit 10
  dltrain runs outputs/sweeps/2026-01-31/14-05-09_titanic --jobs
  dltrain runs --csv > runs.csv

Keys of --sort and --filter: run, sweep, started, status, dataset, model, metric, validation, test, seconds, best_value,
best_epoch, error, part.metric (a bare metric means validation), a group, or the full key of a setting.

exit codes: 0 done, 2 usage error.
"""
# The columns besides the settings; `run` comes last, since it is the longest.
FIXED = ("when", "dataset", "model", "status", "metric", "validation", "test", "time")
SHARED = ("dataset", "model", "status", "metric")  # printed once above the table if they are the same in all rows
NUMBERS = ("validation", "test", "time")
SPARED = ("time", "when")  # left out, in this order, where the columns find no room
PIPED_WIDTH = 120  # where the output is no terminal
MOST_NAMED = 8  # of the settings that find no room
UNBROKEN: Any = {"break_long_words": False, "break_on_hyphens": False}


def _run(given: argparse.Namespace) -> int:
    if given.limit is not None and given.limit < 1:
        raise ConfigError(f"--limit: expected a number from 1, got {given.limit}.")
    rows = find_rows(given.folder, given.filter, given.sort)
    if given.json:
        show_json([_as_json(row) for row in rows[: given.limit]])
    elif given.csv:
        _write_csv(rows[: given.limit])
    else:
        one_sweep = all(row.sweep == str(given.folder) for row in rows)
        shown = [[row] for row in rows] if given.jobs or one_sweep else _grouped(rows)
        _show(shown[: given.limit], len(shown), given.folder, filtered=bool(given.filter))
    return 0


VERB = Verb(
    name="runs",
    summary="Lists runs and sweeps: when, what on, how good, and only the settings in which they differ.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(
        argument("folder", metavar="DIR", nargs="?", type=Path, default=Path("outputs"), help="default: outputs"),
        argument("--sort", signed=True, metavar="KEY", help="by any column or key, upwards; -KEY downwards"),
        argument("--filter", metavar="CONDITIONS", default="", help="all of 'key=value key!=value key>number'"),
        argument("--limit", metavar="N", type=int, help="show the first N"),
        argument("--jobs", action="store_true", help="list each job of a sweep, as for a DIR that is one"),
        (
            argument("--json", action="store_true", help="every run with all its values, as JSON"),
            argument("--csv", action="store_true", help="every run, a column a metric and a setting that differs"),
        ),
    ),
    function=_run,
)


def _grouped(rows: Sequence[Row]) -> list[list[Row]]:
    """Returns single runs, and the jobs of each sweep together at the place of its first job, the best job first."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.sweep or row.run, []).append(row)
    for group in groups.values():
        best = _winner(group)
        group.sort(key=lambda row, best=best: row is not best)  # type: ignore[misc]
    return list(groups.values())


def _winner(jobs: list[Row]) -> Row | None:
    """Returns the best job as the sweep recorded it, or else by its main metric."""
    named = _named_winner(jobs[0].sweep) if jobs[0].sweep else None
    scored = [row for row in jobs if row.values["status"] == "completed"]
    scored = [row for row in scored if isinstance(row.values.get("validation"), float)]
    if not scored:
        return None
    choose = max if scored[0].rises else min
    by_metric = choose(scored, key=lambda row: row.values["validation"])
    return next((row for row in scored if Path(row.run).name == named), by_metric)


def _named_winner(sweep: str) -> str | None:
    try:
        return str(winner(Path(sweep)))
    except ConfigError:
        return None


def _as_json(row: Row) -> dict[str, Any]:
    fixed = {key: value for key, value in row.values.items() if key not in row.settings and key not in row.choices}
    named = {key: row.values.get(key) for key in ("dataset", "model")}
    fault = {"fault": row.fault} if row.fault else {}
    return {**fixed, **named, **fault, "choices": row.choices, "settings": row.settings}


def _write_csv(rows: Sequence[Row]) -> None:
    columns = columns_of(rows)
    writer = csv.DictWriter(CsvOutput(), columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(values_of, rows))


def _show(groups: Sequence[Sequence[Row]], total: int, folder: Path, *, filtered: bool) -> None:
    if not groups:
        show(f"No run below '{cell(folder)}'{' meets the filter' if filtered else ''}.")
        return
    rows = [group[0] for group in groups]
    texts = [_texts(group) for group in groups]
    shared = [name for name in SHARED if len(rows) > 1 and len({text[name] for text in texts}) == 1 and texts[0][name]]
    columns = [name for name in FIXED if name not in shared and any(text[name] for text in texts)]
    width = plain_table.window() or PIPED_WIDTH
    columns, left = _fitting(columns, differing_keys(rows), texts, width)
    words, common = _words(rows, columns)
    typed = {key_of(word) for each in words for word in each}
    left = [key for key in left if key not in typed]
    many = f"{total:,} runs and sweeps" if any(len(group) > 1 for group in groups) else f"{total:,} runs"
    share = ", ".join([*(f"{name} {texts[0][name]}" for name in shared), *common])
    say(("1 run" if total == 1 else many) + (f"; all of them: {share}" if share else ""))
    body = [[text[name] for name in columns] for text in texts]
    lines = plain_table.table(columns, body, NUMBERS)
    space = max(map(len, lines))
    beside = space + 2 + max(len(row["run"]) for row in texts) <= width and not any(words)
    show(f"{lines[0].ljust(space)}  run" if beside else lines[0])
    for line, text, own in zip(lines[1:], texts, words, strict=True):
        if beside:
            show(f"{line.ljust(space)}  {text['run']}")
            continue
        name, typed_words = f"  {text['run']}", " ".join(own)
        if len(name) + 2 + len(typed_words) <= width:
            show(line, f"{name}  {typed_words}".rstrip(), sep="\n")
        else:
            wrapped = textwrap.fill(typed_words, width, initial_indent="  ", subsequent_indent="    ", **UNBROKEN)
            show(line, name, wrapped, sep="\n")
    for row in rows:
        if row.fault:
            say(f"damaged: {cell(row.run)}: {cell(row.fault)}")
    if left:
        more = f" and {len(left) - MOST_NAMED} more" if len(left) > MOST_NAMED else ""
        say(f"Further columns that differ (--csv has all): {', '.join(left[:MOST_NAMED])}{more}")
    if total > len(groups):
        show(f"{total - len(groups):,} more: leave --limit out to see them.")


def _words(rows: Sequence[Row], columns: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """Returns the words that were typed for each run, without those that a column tells, and those that all share."""
    left_out = (*WITHOUT_INFLUENCE, "score_test")  # which a sweep sets by itself
    typed = [[cell(word) for word in row.words if group_of(word) not in left_out] for row in rows]
    shared = set(typed[0]).intersection(*typed) if len(rows) > 1 else set()
    told = {*columns, *SHARED}
    untold = [[word for word in own if key_of(word) not in told] for own in typed]
    common = [word for word in untold[0] if word in shared]
    return [[word for word in own if word not in shared] for own in untold], common


def key_of(word: str) -> str:
    """Returns the key of an override: `optimizer` of `optimizer=sgd`, `cv.folds` of `+cv.folds=3`."""
    return word.partition("=")[0].lstrip("+~")


def _fitting(
    fixed: Sequence[str], keys: Sequence[str], texts: Sequence[dict[str, str]], width: int
) -> tuple[list[str], list[str]]:
    """Returns the columns that fit into the width, settings after the fixed ones, and the others."""
    space = {name: max(len(name), *(len(text[name]) for text in texts)) + 2 for name in (*fixed, *keys)}
    kept = list(fixed)
    for name in SPARED:
        if name in kept and sum(space[each] for each in kept) - 2 > width:
            kept.remove(name)
    used = sum(space[name] for name in kept)
    for key in keys:
        if used + space[key] <= width:
            kept.append(key)
            used += space[key]
    return kept, [name for name in (*fixed, *keys) if name not in kept]


class _Texts(dict[str, str]):
    """The texts of a row by column, each made when it is needed, since a run has more values than are shown."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row

    def __missing__(self, key: str) -> str:
        value = self.row.values.get(key)
        typed = key in self.row.settings or key in self.row.choices
        text = "" if value is None and not typed else setting(value) if typed else cell(value)
        self[key] = text
        return text


def _texts(group: Sequence[Row]) -> dict[str, str]:
    best = group[0]
    texts = _Texts(best)
    texts["when"] = _when(best.values.get("started"))
    texts["time"] = plain_table.seconds(_total(group))
    if best.sweep is not None and len(group) > 1:
        states = [str(row.values["status"]) for row in group if Path(row.run).name != ENSEMBLE]
        rest = {state: states.count(state) for state in dict.fromkeys(states) if state != "completed"}
        jobs = ", ".join(f"{count} {state}" for state, count in rest.items())
        texts["status"] = f"sweep of {len(states):,}: {jobs}" if jobs else f"sweep of {len(states):,}"
        name = f" (best: {Path(best.run).name})" if _winner(list(group)) is best else ""
        texts["run"] = cell(f"{best.sweep}{os.sep}{name}")
    return texts


def _total(group: Sequence[Row]) -> float | None:
    known = [row.values["seconds"] for row in group if isinstance(row.values.get("seconds"), (int, float))]
    return sum(known) if known else None


def _when(started: Any) -> str:
    try:
        return datetime.datetime.fromisoformat(str(started)).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return ""
