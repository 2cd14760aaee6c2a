"""Draws the effect of a sweep's settings: parallel coordinates, a picture for each setting, the best so far."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dltrain.base.plain_table import digits
from dltrain.report.svg import (
    ACCENT,
    INK,
    MUTED,
    SECOND,
    Picture,
    draw,
    is_far_off,
    plain_log,
    scale_values,
    short,
    write_at_end,
)
from dltrain.sweeps.ledger import Entry
from dltrain.sweeps.ranking import settings_of
from dltrain.sweeps.standings import Setting

MOST_LINES = 200  # of jobs in the parallel coordinates
MOST_AXES = 6  # of settings in the parallel coordinates
MOST_NAMES = 12  # at one of those axes
WIDE = 50  # if the largest number is so many times the smallest, the axis is logarithmic
BEST_SHARE = 0.1  # the share of jobs that is drawn in colour
MOST_COLOURED = 8  # jobs
MOST_DOTS = 1_000  # jobs in the pictures of their values, each of which takes some hundred bytes
LETTERS = 44  # in a row of names below the axis


def sweep_pictures(
    entries: Sequence[Entry], found: Sequence[Setting], keys: Sequence[str], best: Mapping[str, Any]
) -> list[Picture]:
    """Draws the value over the settings, and the best value so far.

    `entries` are in the order in which they ended, `found` holds the settings, the best first, `keys` those in which
    the jobs differ, and `best` the content of best.json.
    """
    jobs = [entry for each in found for entry in each.entries if entry.value is not None]
    if len(jobs) < 2:
        return []
    monitor = jobs[0].monitor or "value"
    drawn = [_parallel(jobs[:MOST_LINES], keys, monitor)] if keys else []
    scored = {entry.job for entry in jobs}
    ended = [entry for entry in entries if entry.job in scored]
    drawn += [_over_jobs(ended, monitor, str(best.get("direction", "min")))]
    if best.get("importance"):
        drawn.insert(0, _importance(best["importance"], monitor))
    drawn += [
        _effect(jobs[:MOST_DOTS], key, monitor, place) for place, key in enumerate(keys[:MOST_AXES]) if key != "seed"
    ]
    return drawn


def _places(words: Sequence[str]) -> tuple[npt.NDArray[np.float64], list[tuple[float, str]], bool]:
    """Returns words as numbers, the labels for some of them, and whether the scale is logarithmic."""
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        names = sorted(set(words), key=_by_numbers)
        order = {name: float(place) for place, name in enumerate(names)}
        return np.array([order[word] for word in words]), [(place, name) for name, place in order.items()], False
    wide = bool(values.min() > 0 and values.max() / values.min() >= WIDE)
    shown = np.unique(values) if len(np.unique(values)) <= 4 else np.array([values.min(), values.max()])
    return values, [(float(value), f"{value:.3g}" if abs(value) < 1000 else f"{value:g}") for value in shown], wide


def _by_numbers(name: str) -> list[tuple[float, str]]:
    """Returns a key that sorts [64] before [128]."""
    return [(float(number or 0), word) for number, word in re.findall(r"(\d+)|(\D+)", name)]


def _name_ticks(axes: Axes, marks: Sequence[tuple[float, str]], label: str) -> None:
    """Writes names below the axis: in two rows if they need them, and only some of them if two rows are too short.

    The second row replaces the label of the axis, which is in the title too.
    """
    names = [short(name) for _, name in marks]
    wanted = len(names) * max(map(len, names))
    rows = min(2, math.ceil(wanted / LETTERS))
    every = math.ceil(wanted / (LETTERS * rows))
    shown = range(0, len(names), every)
    axes.set_xticks([marks[n][0] for n in shown], ["\n" * (row % rows) + names[n] for row, n in enumerate(shown)])
    axes.set_xlabel(label if rows == 1 else "")


def _parallel(jobs: Sequence[Entry], keys: Sequence[str], monitor: str) -> Picture:
    keys = list(keys[: MOST_AXES - 1])
    columns = [[settings_of(entry).get(key, "") for entry in jobs] for key in keys]
    columns.append([repr(float(entry.value or 0.0)) for entry in jobs])
    scaled, labels = [], []
    for words in columns:
        values, marks, wide = _places(words)
        if words is columns[-1]:
            marks, wide = [min(marks), max(marks)], bool(values.min() > 0 and is_far_off(values))
        places = np.array([place for place, _ in marks])
        if wide:
            values, places = np.log(values), np.log(places)
        low, span = values.min(), max(values.max() - values.min(), 1e-12)
        scaled.append((values - low) / span)
        named = [digits(float(mark), 4) if words is columns[-1] else short(mark) for _, mark in marks]
        labels.append(list(zip((places - low) / span, named, strict=True)))
    lines = np.array(scaled).T
    coloured = min(MOST_COLOURED, max(1, round(BEST_SHARE * len(jobs))))

    def plot(axes: Axes) -> None:
        for place in reversed(range(len(lines))):
            colour, alpha = (ACCENT, 1.0) if place < coloured else (MUTED, 0.35)
            axes.plot(lines[place], color=colour, alpha=alpha, linewidth=2.2 if place == 0 else 1.2)
        for axis, marks in enumerate(labels):
            axes.axvline(axis, color=MUTED, linewidth=0.8)
            for height, mark in marks[:: math.ceil(len(marks) / MOST_NAMES)]:
                last = axis == len(labels) - 1
                at, side = (axis + 0.04, "left") if last else (axis - 0.04, "right")
                axes.text(at, height, mark, ha=side, size=8)
        axes.grid(False)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xticks(range(len(labels)), [short(name.rpartition(".")[2]) for name in (*keys, monitor)])
        axes.set_xlim(-0.25 * len(labels) ** 0.5, len(labels) - 0.6)

    message = (
        f"A line for each of {len(jobs)} jobs, from its settings to its {monitor}; the best "
        f"{'job is' if coloured == 1 else f'{coloured} jobs are'} drawn in colour."
    )
    return draw("parallel_coordinates", "Parallel coordinates", message, plot, height=3.4, left=0.05)


def _over_jobs(jobs: Sequence[Entry], monitor: str, way: str) -> Picture:
    values = np.array([float(entry.value or 0.0) for entry in jobs])
    best = np.maximum.accumulate(values) if way == "max" else np.minimum.accumulate(values)

    def plot(axes: Axes) -> None:
        places = np.arange(1, 1 + len(values))
        shown = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_DOTS)).astype(int))
        axes.plot(places[shown], values[shown], "o", color=MUTED, markersize=4, label="job")
        axes.step(places, best, color=ACCENT, where="post", label="best so far")
        scale_values(axes, values)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set(xlabel="jobs in the order in which they ended", ylabel=monitor)
        axes.legend(loc="best")

    needed = 1 + int(np.flatnonzero(best == best[-1])[0])
    fell = f"from {digits(values[0], 4)} to {digits(best[-1], 4)}, the best"
    message = f"{monitor} {fell}, found by {needed} of {len(values)} jobs."
    return draw("over_jobs", "Best so far", message, plot, height=3.4, left=0.17)


def _importance(shares: Mapping[str, float], monitor: str) -> Picture:
    names = sorted(shares, key=lambda key: -shares[key])

    def plot(axes: Axes) -> None:
        places = np.arange(len(names))
        axes.barh(places, [100 * shares[name] for name in names], height=0.62, color=ACCENT)
        for place, name in enumerate(names):
            write_at_end(axes, 100 * shares[name], place, f"{shares[name]:.0%}")
        axes.set_yticks(places, [short(name.rpartition(".")[2]) for name in names])
        axes.invert_yaxis()
        axes.grid(False, axis="y")
        axes.set(xlim=(0, 115 * shares[names[0]]), xlabel=f"share of the differences in {monitor}, %")

    said = ", ".join(f"{name} {shares[name]:.0%}" for name in names)
    message = f"How much of the differences in {monitor} each key explains by itself (fANOVA): {said}."
    return draw("order_of_importance", "Order of importance", message, plot, height=0.9 + 0.3 * len(names), left=0.25)


def _effect(jobs: Sequence[Entry], key: str, monitor: str, place: int) -> Picture:
    words = [settings_of(entry).get(key, "") for entry in jobs]
    values, marks, wide = _places(words)
    heights = np.array([float(entry.value or 0.0) for entry in jobs])

    def plot(axes: Axes) -> None:
        axes.plot(values, heights, "o", color=ACCENT, markersize=5, alpha=0.6)
        axes.plot([values[0]], [heights[0]], "o", color=SECOND, markersize=8, label="best", markeredgecolor=INK)
        scale_values(axes, heights)
        if wide:
            axes.set_xscale("log")
            plain_log(axes.xaxis)
            axes.set_xlabel(key)
        else:
            _name_ticks(axes, marks, key)
        axes.margins(x=0.15)
        axes.set_ylabel(monitor)
        axes.legend(loc="best")

    message = f"{monitor} of each job by {key}; the best has {words[0]}."
    return draw(f"setting_{place}", key, message, plot, height=3.4, left=0.17)
