"""Makes report.html of a sweep: the leaderboard, the effect of its settings, and how to train the winner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from dltrain.base.errors import ConfigError
from dltrain.base.plain_table import number
from dltrain.pages.render import render
from dltrain.record.winner import read_best
from dltrain.report.job import MOST_READ, jobs_of
from dltrain.report.jobs import side_by_side
from dltrain.report.score_sections import Table
from dltrain.report.svg import Picture
from dltrain.report.sweep_pictures import sweep_pictures
from dltrain.report.write import write_files
from dltrain.sweeps.importance import MOST_JOBS
from dltrain.sweeps.ledger import Ledger
from dltrain.sweeps.ranking import settings_of, swept_keys
from dltrain.sweeps.standings import Setting, like_the_best, standings

MOST_ROWS = 100  # of the leaderboard; results.csv has all


def write_sweep_report(sweep: Path) -> Path:
    """Writes report.html and plots/*.svg of a sweep, and returns the path of report.html.

    Raises:
        ConfigError: If none of its jobs has ended, or best.json cannot be read.
    """
    read = _Sweep(sweep)
    entries, best, found, keys = read.entries, read.best, read.stand.settings, read.keys
    beside, drawn = read.draw()
    counts = {status: sum(entry.status == status for entry in entries) for status in ("completed", "pruned", "failed")}
    html = render(
        "report/templates/sweep.html",
        title=f"Sweep {sweep.resolve().name}",
        subtitle=f"{len(entries):,} jobs",
        number=number,
        said=", ".join(f"{count:,} {status}" for status, count in counts.items() if count),
        entries=entries,
        best=best,
        winner=_winner(found[0], keys) if found else None,
        verdict=_verdict(found) if found else None,
        beside=beside,
        drawn=drawn,
        keys=keys,
        leaderboard=_leaderboard(sweep, found, keys) if found else None,
        settings_found=len(found),
        most_rows=MOST_ROWS,
        most_read=MOST_READ,
        most_judged=MOST_JOBS,
        link=lambda job: link(sweep, job),
        unfinished=[entry for entry in entries if entry.status != "completed"],
    )
    return write_files(sweep, html, [*beside, *drawn])


def pictures_of_sweep(sweep: Path) -> list[Picture]:
    """Returns the pictures of the report of a sweep; raises as `write_sweep_report`."""
    beside, drawn = _Sweep(sweep).draw()
    return [*beside, *drawn]


class _Sweep:
    """What the report reads from the directory of a sweep."""

    def __init__(self, sweep: Path) -> None:
        self.path = sweep
        self.entries = Ledger(sweep).entries()
        if not self.entries:
            raise ConfigError(f"'{sweep}' has no job that has ended, so there is nothing to report.")
        self.best = read_best(sweep)
        self.stand = standings(self.entries, self.best.get("objectives") or {})
        self.keys = swept_keys([entry for each in self.stand.settings for entry in each.entries])

    def draw(self) -> tuple[list[Picture], list[Picture]]:
        """Returns the pictures of the jobs side by side, and those of the value over the settings."""
        found = self.stand.settings
        beside = list(side_by_side(jobs_of(self.path, found, self.keys), int(self.best.get("rounds") or 1)))
        return beside, sweep_pictures(self.stand.entries, found, self.keys, self.best)


def _winner(first: Setting, keys: Sequence[str]) -> str:
    """Describes the best job, its value and its settings."""
    words = " ".join(f"{key}={value}" for key, value in settings_of(first.entries[0]).items() if key in keys)
    spread = "" if first.deviation is None else f" ± {number(first.deviation)} over {len(first.values)} values"
    return f"job {first.entries[0].job}, {number(first.mean)}{spread}{': ' if words else ''}{words}"


def _verdict(found: Sequence[Setting]) -> str:
    like = like_the_best(found) if len(found) > 1 else None
    if len(found) == 1:
        return "There is nothing to compare it with."
    if like is None:
        return "With one split and one seed each, no test tells the jobs apart: repeat them over seeds or folds."
    same = sum(like[1:])
    return (
        f"{same} of the {len(found) - 1} others cannot be told from it (paired t test over folds or seeds, Holm's "
        "correction, 5 %)."
    )


def link(sweep: Path, job: str) -> Markup | str:
    """Returns the name of a job as a link to its report, or else to its directory, if that is still there."""
    directory, address = sweep / job, "/".join(map(quote, job.split("/")))
    if not directory.is_dir():
        return job
    report = "report.html" if (directory / "report.html").is_file() else ""
    return Markup('<a href="./{address}/{report}">{job}</a>').format(address=address, report=report, job=job)


def _leaderboard(sweep: Path, found: Sequence[Setting], keys: Sequence[str]) -> Table:
    like = like_the_best(found) if len(found) > 1 else None
    repeated = max(len(each.values) for each in found) > 1
    others = [name for name in found[0].entries[0].metrics if name != "loss"]
    rows = []
    for place, each in enumerate(found[:MOST_ROWS]):
        first = each.entries[0]
        words = settings_of(first)
        row = [
            Markup(" ").join(link(sweep, entry.job) for entry in each.entries),
            *(words.get(key, "") for key in keys),
            number(each.mean),
        ]
        row += [number(each.deviation)] if repeated else []
        row += ["best" if place == 0 else "yes" if like[place] else "no"] if like is not None else []
        row += [number(_mean([entry.metrics.get(name) for entry in each.entries])) for name in others]
        seconds = sum(entry.seconds or 0 for entry in each.entries)
        rows.append([*row, first.epochs or "", f"{first.parameters:,}" if first.parameters else "", f"{seconds:.1f}"])
    head = ["job", *keys, found[0].entries[0].monitor or "value", *(["sd"] if repeated else [])]
    head += [*(["like the best"] if like is not None else []), *others, "epochs", "parameters", "seconds"]
    return head, rows


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return sum(known) / len(known) if known else None
