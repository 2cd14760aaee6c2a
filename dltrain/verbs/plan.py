"""Implements `dltrain plan [overrides]`, which lists jobs and their cost without training."""

from __future__ import annotations

import argparse
import csv
import dataclasses
from pathlib import Path
from typing import Any

from dltrain.api.choose_model import settle
from dltrain.base import plain_table
from dltrain.base.errors import ConfigError, DltrainError
from dltrain.base.show import CsvOutput, show, show_json
from dltrain.config.compose import Composer
from dltrain.sweeps.plan import Planned, planned
from dltrain.verbs import Verb, argument

DESCRIPTION = """\
Lists every job that a command line stands for, with every fault in its settings; that takes a moment. Then it loads the
data and builds each network: its parameters, the shape of the data, steps, trainings (folds or seeds), and the greatest
time of all of them. A few steps of a throwaway network are timed; nothing is trained or written.
"""
EXAMPLES = """\
examples:
  dltrain plan dataset=wine model=linear
  dltrain plan -m optimizer=adam,sgd regularizer=none,l2
  dltrain plan search=grid search.points=3
  dltrain plan -m optimizer=adam,sgd --settings-only --json

exit codes: 0 done, 1 the data does not fit a job, 2 a fault in the settings.
"""


def _run(given: argparse.Namespace) -> int:
    settled = settle(Composer(extra_directory=given.config_dir), given.overrides)
    jobs = planned(settled.overrides, sweep=given.multirun, config_directory=given.config_dir)
    faults: dict[str, list[str]] = {}
    for job in jobs:
        for fault in job.faults:
            faults.setdefault(fault, []).append(" ".join(job.overrides))
    if faults:
        raise ConfigError(
            [
                text if len(having) == len(jobs) else f"{text} (In {len(having)} of {len(jobs)} jobs, as {having[0]}.)"
                for text, having in faults.items()
            ]
        )
    plain = not (given.json or given.csv)
    total = sum(job.count for job in jobs)
    if plain:
        show(f"{total} job{'s' if total > 1 else ''}, settings without fault", flush=True)
        if settled.sentence:
            plain_table.say(settled.sentence)
    rows = [{"job": place, "settings": _differing(job, jobs), "count": job.count} for place, job in enumerate(jobs)]
    failed = False if given.settings_only else _add_costs(jobs, rows)
    if given.json:
        show_json({"jobs": rows, "total": _total(rows)})
    elif given.csv:
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(CsvOutput(), names)
        writer.writeheader()
        writer.writerows(rows)
    else:
        _show(rows)
    return int(failed)


VERB = Verb(
    name="plan",
    summary="Lists the jobs that a command line stands for and what they cost; trains nothing.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(
        argument("overrides", metavar="OVERRIDE", nargs="*", default=[], help="as one would type them for a run"),
        argument("-m", "--multirun", action="store_true", help="keys with several values make several jobs"),
        argument("--config-dir", metavar="DIR", type=Path, help="a folder of options that is searched as well"),
        argument("--settings-only", action="store_true", help="load no data and build no network"),
        (
            argument("--json", action="store_true", help="as JSON"),
            argument("--csv", action="store_true", help="as CSV"),
        ),
    ),
    function=_run,
)


def _differing(job: Planned, jobs: list[Planned]) -> str:
    common = set(jobs[0].overrides).intersection(*(each.overrides for each in jobs)) if len(jobs) > 1 else set()
    return " ".join(word for word in job.overrides if word not in common)


def _add_costs(jobs: list[Planned], rows: list[dict[str, Any]]) -> bool:
    """Adds the cost of each job; returns whether the data does not fit one of them."""
    from dltrain.internals import tensorflow_quietly

    tensorflow_quietly.load()
    from dltrain.sweeps.cost import cost_of

    failed = False
    for job, row in zip(jobs, rows, strict=True):
        assert job.config is not None
        try:
            row |= dataclasses.asdict(cost_of(job.config))
        except DltrainError as error:
            row["fault"] = " ".join(str(error).split())
            failed = True
    return failed


def _total(rows: list[dict[str, Any]]) -> dict[str, float]:
    seconds = sum(row["count"] * row.get("seconds", 0) for row in rows)
    return {"count": sum(row["count"] for row in rows), "seconds": round(seconds, 2)}


def _show(rows: list[dict[str, Any]]) -> None:
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in ("count", "fault")]
    shown = [{**row, "seconds": f"{row['seconds']:,.1f}"} if "seconds" in row else row for row in rows]
    cells = [[plain_table.cell(row.get(name)) for name in names] for row in shown]
    right = [name for name in names if name not in ("settings", "features")]
    show("\n".join(plain_table.table(names, cells, right, plain_table.window())))
    for row in rows:
        if "fault" in row:
            show(f"job {row['job']}: {row['fault']}")
    if any("seconds" in row for row in rows):
        show(f"at most {_total(rows)['seconds']:,.0f} seconds in all, one job at a time")
