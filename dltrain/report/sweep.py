"""report.html of a sweep: the leaderboard, what the settings do to the value, and how to train the winner."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltrain.base.errors import ConfigError
from dltrain.report.job import jobs_of
from dltrain.report.jobs import side_by_side
from dltrain.report.page import Html, code, folded, note, page, paragraph, pictures, section, table
from dltrain.report.sweep_pictures import sweep_pictures
from dltrain.report.words import number
from dltrain.report.write import write_files
from dltrain.sweep.ledger import Entry, Ledger
from dltrain.sweep.ranking import settings_of, swept_keys
from dltrain.sweep.standings import Setting, like_the_best, standings


def write_sweep_report(sweep: Path) -> Path:
    """Writes report.html and plots/*.svg of a sweep.

    Args:
        sweep: its directory.

    Returns:
        The path of report.html.

    Raises:
        ConfigError: none of its jobs has ended, or best.json cannot be read.
    """
    entries = Ledger(sweep).entries()
    if not entries:
        raise ConfigError(f"'{sweep}' has no job that has ended, so there is nothing to report.")
    try:
        best: dict[str, Any] = json.loads((sweep / "best.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"'{sweep / 'best.json'}' cannot be read: {error}") from error
    stand = standings(entries, best.get("objectives") or {})
    found = stand.settings
    keys = swept_keys([entry for each in found for entry in each.entries])
    beside = list(side_by_side(jobs_of(sweep, found, keys)))
    drawn = sweep_pictures(stand.entries, found, keys, best)
    sections = [
        section("summary", "Summary", *_summary(entries, found, keys, best)),
        section("jobs", "Side by side", pictures(beside)),
        section("leaderboard", "Leaderboard", *_leaderboard(found, keys)),
        section("settings", "What the settings do", pictures(drawn), *_importance(best)),
        section("front", "Pareto front", *_front(best)),
        section("failed", "Jobs that did not complete", *_unfinished(entries)),
    ]
    name = sweep.resolve().name
    return write_files(sweep, page(f"Sweep {name}", f"{len(entries):,} jobs", sections), [*beside, *drawn])


def _summary(
    entries: Sequence[Entry], found: Sequence[Setting], keys: Sequence[str], best: Mapping[str, Any]
) -> list[Html]:
    counts = {status: sum(entry.status == status for entry in entries) for status in ("completed", "pruned", "failed")}
    said = ", ".join(f"{count:,} {status}" for status, count in counts.items() if count)
    if not found:
        return [paragraph(f"{len(entries):,} jobs: {said}. None gave a value to choose by.")]
    first = found[0]
    words = " ".join(f"{key}={value}" for key, value in settings_of(first.entries[0]).items() if key in keys)
    return [
        paragraph(
            f"{len(entries):,} jobs: {said}. The best one by {best.get('monitor')} is job {first.entries[0].job}, "
            f"{number(first.mean)}{_spread(first)}{': ' if words else ''}{words}."
        ),
        paragraph(_verdict(found)),
        *(paragraph(f"Caution: {each}") for each in best.get("cautions", [])),
        paragraph(
            "The value that chose the winner is a little too good, the more so the more jobs there were. Train it "
            "again and score its test part, once:"
        ),
        code(str(best.get("command", ""))),
    ]


def _spread(setting: Setting) -> str:
    return "" if setting.deviation is None else f" ± {number(setting.deviation)} over {len(setting.values)} values"


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


def _leaderboard(found: Sequence[Setting], keys: Sequence[str]) -> list[Html]:
    if not found:
        return []
    like = like_the_best(found) if len(found) > 1 else None
    repeated = max(len(each.values) for each in found) > 1
    others = [name for name in found[0].entries[0].metrics if name != "loss"]
    rows = []
    for place, each in enumerate(found):
        first = each.entries[0]
        words = settings_of(first)
        row = [" ".join(entry.job for entry in each.entries), *(words.get(key, "") for key in keys), number(each.mean)]
        row += [number(each.deviation)] if repeated else []
        row += ["best" if place == 0 else "yes" if like[place] else "no"] if like is not None else []
        row += [number(_mean([entry.metrics.get(name) for entry in each.entries])) for name in others]
        seconds = sum(entry.seconds or 0 for entry in each.entries)
        rows.append([*row, first.epochs or "", f"{first.parameters:,}" if first.parameters else "", f"{seconds:.1f}"])
    head = ["job", *keys, found[0].entries[0].monitor or "value", *(["sd"] if repeated else [])]
    head += [*(["like the best"] if like is not None else []), *others, "epochs", "parameters", "seconds"]
    return [table("Settings by their value, the best first", head, rows, words=1 + len(keys))]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return sum(known) / len(known) if known else None


def _importance(best: Mapping[str, Any]) -> list[Html]:
    if not best.get("importance"):
        return [note("Importance needs ten completed jobs and two settings that differ.")]
    words = "The share of a setting in the variance of the value, over all the others (fANOVA, Hutter et al. 2014)."
    rows = [[key, f"{100 * share:.0f} %"] for key, share in best["importance"].items()]
    return [note(words), table("Importance of the settings", ["setting", "share"], rows)]


def _front(best: Mapping[str, Any]) -> list[Html]:
    front = best.get("pareto_front") or []
    if not front:
        return []
    names = [name for name in front[0] if name not in ("job", "overrides")]
    rows = [[each["job"], " ".join(each["overrides"]), *(number(each.get(name)) for name in names)] for each in front]
    words = (
        "No job is better than one of these in one objective without being worse in another. The winner is the first "
        f"of them, the best by {names[0]}."
    )
    return [note(words), table("Jobs of the Pareto front", ["job", "settings", *names], rows, words=2)]


def _unfinished(entries: Sequence[Entry]) -> list[Html]:
    others = [entry for entry in entries if entry.status != "completed"]
    if not others:
        return []
    rows = [[entry.job, entry.status, " ".join(entry.overrides), entry.reason or ""] for entry in others]
    listing = table("Jobs and their reasons", ["job", "status", "settings", "reason"], rows, words=4)
    return [listing if len(others) <= 10 else folded(f"All {len(others)}", listing)]
