"""report.html of a sweep: the leaderboard, what the settings do to the value, and how to train the winner."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dltrain.errors import ConfigError
from dltrain.report.jobs import jobs_of, side_by_side
from dltrain.report.page import Html, code, folded, note, page, paragraph, pictures, section, table
from dltrain.report.svg import ACCENT, INK, MUTED, SECOND, Picture, draw, plain_log, short
from dltrain.report.words import number
from dltrain.report.write import write_files
from dltrain.sweep.groups import Setting, like_the_best, settings
from dltrain.sweep.ledger import Entry, Ledger
from dltrain.sweep.ranking import settings_of, swept_keys

MOST_LINES = 200  # jobs in the parallel coordinates
MOST_AXES = 6  # settings in them
WIDE = 50  # numbers that span so much stand on a log axis
BEST_SHARE = 0.1  # of the jobs is drawn in colour


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
    found = settings(entries, best.get("direction", "min"))
    keys = swept_keys([entry for each in found for entry in each.entries])
    beside = list(side_by_side(jobs_of(sweep, found, keys)))
    drawn = _pictures(entries, found, keys, best)
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
    words = "No job is better than one of these in one objective without being worse in another."
    return [note(words), table("Jobs of the Pareto front", ["job", "settings", *names], rows, words=2)]


def _unfinished(entries: Sequence[Entry]) -> list[Html]:
    others = [entry for entry in entries if entry.status != "completed"]
    if not others:
        return []
    rows = [[entry.job, entry.status, " ".join(entry.overrides), entry.reason or ""] for entry in others]
    listing = table("Jobs and their reasons", ["job", "status", "settings", "reason"], rows, words=4)
    return [listing if len(others) <= 10 else folded(f"All {len(others)}", listing)]


def _pictures(
    entries: Sequence[Entry], found: Sequence[Setting], keys: Sequence[str], best: Mapping[str, Any]
) -> list[Picture]:
    jobs = [entry for each in found for entry in each.entries if entry.value is not None]
    if len(jobs) < 2:
        return []
    monitor = jobs[0].monitor or "value"
    drawn = [_parallel(jobs[:MOST_LINES], keys, monitor)] if keys else []
    drawn += [_over_jobs([entry for entry in entries if entry in jobs], monitor, str(best.get("direction", "min")))]
    drawn += [_effect(jobs, key, monitor, place) for place, key in enumerate(keys[:MOST_AXES]) if key != "seed"]
    return drawn


def _places(words: Sequence[str]) -> tuple[npt.NDArray[np.float64], list[tuple[float, str]], bool]:
    """Words as numbers, what to write at which, and whether they stand on a log scale."""
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        names = sorted(set(words))
        order = {name: float(place) for place, name in enumerate(names)}
        return np.array([order[word] for word in words]), [(place, name) for name, place in order.items()], False
    wide = bool(values.min() > 0 and values.max() / values.min() >= WIDE)
    shown = np.unique(values) if len(np.unique(values)) <= 4 else np.array([values.min(), values.max()])
    return values, [(float(value), f"{value:g}") for value in shown], wide


def _parallel(jobs: Sequence[Entry], keys: Sequence[str], monitor: str) -> Picture:
    keys = list(keys[: MOST_AXES - 1])
    columns = [[settings_of(entry).get(key, "") for entry in jobs] for key in keys]
    columns.append([repr(float(entry.value or 0.0)) for entry in jobs])
    scaled, labels = [], []
    for words in columns:
        values, marks, wide = _places(words)
        marks = [min(marks), max(marks)] if words is columns[-1] else marks
        places = np.array([place for place, _ in marks])
        if wide:
            values, places = np.log(values), np.log(places)
        low, span = values.min(), max(values.max() - values.min(), 1e-12)
        scaled.append((values - low) / span)
        named = [f"{float(mark):.4g}" if words is columns[-1] else short(mark) for _, mark in marks]
        labels.append(list(zip((places - low) / span, named, strict=True)))
    lines = np.array(scaled).T
    coloured = max(1, round(BEST_SHARE * len(jobs)))

    def plot(axes: Axes) -> None:
        for place in reversed(range(len(lines))):
            own = place < coloured
            axes.plot(
                lines[place],
                color=ACCENT if own else MUTED,
                alpha=1.0 if own else 0.35,
                linewidth=2.2 if place == 0 else 1.2,
            )
        for axis, marks in enumerate(labels):
            axes.axvline(axis, color=MUTED, linewidth=0.8)
            for height, mark in marks:
                last = axis == len(labels) - 1
                axes.text(axis + (0.04 if last else -0.04), height, mark, ha="left" if last else "right", size=8)
        axes.grid(False)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xticks(range(len(labels)), [short(name.rpartition(".")[2]) for name in (*keys, monitor)])
        axes.set_xlim(-0.45, len(labels) - 0.6)

    message = (
        f"A line for each of {len(jobs)} jobs, from its settings to its {monitor}; the best "
        f"{'job is' if coloured == 1 else f'{coloured} jobs are'} drawn in colour."
    )
    return draw("parallel_coordinates", "Parallel coordinates", message, plot, height=3.4, left=0.05)


def _over_jobs(jobs: Sequence[Entry], monitor: str, way: str) -> Picture:
    values = np.array([float(entry.value or 0.0) for entry in jobs])
    best = np.maximum.accumulate(values) if way == "max" else np.minimum.accumulate(values)

    def plot(axes: Axes) -> None:
        axes.plot(np.arange(len(values)), values, "o", color=MUTED, markersize=4, label="job")
        axes.step(np.arange(len(values)), best, color=ACCENT, where="post", label="best so far")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel("jobs in the order in which they ended")
        axes.set_ylabel(monitor)
        axes.legend(loc="best")

    needed = 1 + int(np.flatnonzero(best == best[-1])[0])
    message = f"{monitor} from {values[0]:.4g} to {best[-1]:.4g}, the best, found by {needed} of {len(values)} jobs."
    return draw("over_jobs", "Best so far", message, plot, height=3.4, left=0.17)


def _effect(jobs: Sequence[Entry], key: str, monitor: str, place: int) -> Picture:
    words = [settings_of(entry).get(key, "") for entry in jobs]
    values, marks, wide = _places(words)
    heights = np.array([float(entry.value or 0.0) for entry in jobs])

    def plot(axes: Axes) -> None:
        axes.plot(values, heights, "o", color=ACCENT, markersize=5, alpha=0.6)
        axes.plot([values[0]], [heights[0]], "o", color=SECOND, markersize=8, label="best", markeredgecolor=INK)
        if wide:
            axes.set_xscale("log")
            plain_log(axes.xaxis)
        else:
            axes.set_xticks([at for at, _ in marks], [short(mark) for _, mark in marks])
        axes.margins(x=0.15)
        axes.set_xlabel(key)
        axes.set_ylabel(monitor)
        axes.legend(loc="best")

    message = f"{monitor} of each job by {key}; the best has {words[0]}."
    return draw(f"setting_{place}", key, message, plot, height=3.4, left=0.17)
