"""Draws how fast the jobs of a sweep learn, when they write their checkpoints, and when each of them ran."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dltrain.base.notes import counted
from dltrain.base.plain_table import number
from dltrain.report.job import Numbers, RecordedJob, differ_in_time
from dltrain.report.scores_over import LOG_SPAN, MARKERS, MOST_SETTINGS
from dltrain.report.svg import (
    INK,
    MUTED,
    SERIES,
    Picture,
    draw,
    draw_panels,
    in_legend,
    legend_columns,
    plain_log,
    prepare,
    write_at_end,
)

DIFFERENT = 1.25  # if an epoch has so many times the steps of another, the courses are drawn over steps and seconds
MANY_EPOCHS = 50
LOSS_SPAN = 50.0  # if losses are so many times as large as others, the axis is logarithmic
PANEL = 1.45  # inches
UNITS = ("epochs", "steps", "samples")
MOST_CHECKPOINTS = 60  # of a job, in the picture of when they are written


def over_paces(jobs: Sequence[RecordedJob]) -> Picture | None:
    """Draws the validation loss over epochs, over steps and over seconds, and where each job reaches the same loss.

    None unless the jobs differ in the steps of an epoch, or by more than noise in its time. The time is that of the
    fastest epoch times their number, which leaves out reading, tracing and whatever else the machine did.
    """
    name = "val_loss"
    courses = [job.course(name) for job in jobs]
    steps, seconds = (
        [float(job.record.facts.get(fact) or 0.0) for job in jobs] for fact in ("steps_per_epoch", "seconds_per_epoch")
    )
    known = len(jobs) <= MOST_SETTINGS and min(*steps, *seconds) > 0
    known = known and all(len(course) > 1 and np.isfinite(course).any() for course in courses)
    # Of many epochs the fastest is hardly slower than it must be, however busy the machine was.
    slower = known and min(map(len, courses)) >= MANY_EPOCHS and max(seconds) / min(seconds) >= DIFFERENT
    if not known or (max(steps) / min(steps) < DIFFERENT and not slower and not differ_in_time(jobs)):
        return None
    target = max(float(np.nanmin(course)) for course in courses)
    reached = [1 + int(np.flatnonzero(course <= target)[0]) for course in courses]
    paces = {"epoch": [1.0] * len(jobs), "step": steps, "second": seconds}
    columns = legend_columns([job.name for job in jobs])
    legend = 0.19 * math.ceil((len(jobs) + 1) / columns) + 0.1
    height = (PANEL + 0.5) * len(paces) + legend + 0.1

    def plot(figure: Figure) -> None:
        for row, (unit, pace) in enumerate(paces.items()):
            bottom = height - (PANEL + 0.5) * (row + 1) + 0.4
            axes = prepare(figure.add_axes((0.15, bottom / height, 0.82, PANEL / height)))
            ends = [len(course) * each for course, each in zip(courses, pace, strict=True)]
            for place, course in enumerate(courses):
                at = pace[place] * np.arange(1, len(course) + 1)
                axes.plot(at, course, color=SERIES[place], linewidth=1.3)
                here = reached[place]
                axes.plot([here * pace[place]], [course[here - 1]], MARKERS[place], color=SERIES[place], markersize=7)
            axes.axhline(target, color=MUTED, linewidth=0.8, linestyle=":")
            if max(ends) > LOG_SPAN * min(ends):
                axes.set_xscale("log")
                plain_log(axes.xaxis)
            _limit(axes, np.concatenate(courses))
            axes.set_xlabel(f"{unit}s", labelpad=1)
            axes.set_ylabel("loss, validation", size=8)
        for place, job in enumerate(jobs):
            axes.plot([], [], MARKERS[place] + "-", color=SERIES[place], label=in_legend(job.name))
        axes.plot([], [], color=MUTED, linestyle=":", label="the same loss")
        named = axes.get_legend_handles_labels()
        figure.legend(*named, loc="lower left", bbox_to_anchor=(0.1, 0), ncols=columns, fontsize=8)

    said = "; ".join(
        f"{job.name}: {reached[place]} epochs, {reached[place] * steps[place]:,.0f} steps, "
        f"{reached[place] * seconds[place]:.2g} s"
        for place, job in enumerate(jobs)
    )
    message = (
        f"The validation loss over epochs, steps and seconds; a mark is where a job reaches {number(target)}. {said}."
    )
    return draw_panels("paces", "The same loss by epochs, steps and seconds", message, plot, height=height)


def _limit(axes: Axes, values: Numbers) -> None:
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(np.quantile(values, 0.98))
    if low > 0 and high > LOSS_SPAN * low:
        axes.set_yscale("log")
        plain_log(axes.yaxis)
    else:
        axes.set_ylim(low - 0.08 * (high - low), high + 0.05 * (high - low))


def checkpoints(jobs: Sequence[RecordedJob]) -> Picture | None:
    """Draws when each job writes its checkpoints; None unless they count epochs, steps or samples for it, each its own.

    After so many epochs, steps or samples: a step takes the rows of a batch, an epoch the steps that its rows fill.
    """
    if not any(key.startswith("callbacks.checkpoint") for key in jobs[0].words) or len(jobs) > MOST_SETTINGS:
        return None
    rows: list[tuple[str, Numbers]] = []
    for job in jobs:
        counts = {unit: job.record.settings.get(f"callbacks.checkpoint.every_{unit}") for unit in UNITS}
        steps, batch, epochs = (
            int(job.record.facts.get("steps_per_epoch") or 0),
            int(job.record.facts.get("batch_size") or 0),
            int(job.record.metrics.get("epochs") or 0),
        )
        chosen = [(unit, int(count)) for unit, count in counts.items() if count]
        if not chosen or min(steps, batch, epochs) < 1:
            return None
        unit, count = chosen[0]
        every = {"epochs": count * steps, "steps": count, "samples": math.ceil(count / batch)}[unit]
        rows.append((f"every {count:,} {unit}", np.arange(every, steps * epochs + 1, every, dtype=float)))
    if len({name for name, _ in rows}) < len(rows) or max(len(at) for _, at in rows) > MOST_CHECKPOINTS:
        return None

    def plot(axes: Axes) -> None:
        for place, (name, at) in enumerate(rows):
            axes.plot(at, np.full(len(at), place), MARKERS[place], color=SERIES[place], markersize=6)
            axes.text(0, place - 0.28, f"{name}: {counted(len(at), 'checkpoint')}", size=9, color=INK)
        axes.set_xticks(np.arange(epochs + 1) * steps)
        axes.set(yticks=[], ylim=(len(rows) - 0.6, -0.6), xlim=(0, 1.02 * steps * epochs))
        axes.tick_params(labelsize=8)
        axes.set_xlabel(f"steps of {batch} rows; a line is the end of an epoch")
        axes.grid(False, axis="y")

    said = "; ".join(f"{name}: {len(at)}, the first after {at[0]:,.0f} steps" for name, at in rows if len(at))
    message = f"When checkpoints are written in {epochs} epochs of {steps} steps of {batch} rows. {said}."
    return draw("checkpoints", "When checkpoints are written", message, plot, height=0.7 + 0.5 * len(rows), left=0.04)


def timeline(jobs: Sequence[RecordedJob]) -> Picture | None:
    """Draws when each job ran; None unless some of them ran at the same time."""
    spans = [_span(job) for job in jobs]
    if any(span is None for span in spans):
        return None
    begun = min(span[0] for span in spans if span)
    ran = sorted(
        ((span[0] - begun, span[1] - begun, job) for span, job in zip(spans, jobs, strict=True) if span),
        key=lambda each: each[:2],
    )
    together = max(sum(other[0] <= each[0] < other[1] for other in ran) for each in ran)
    if together < 2:
        return None
    took, alone = max(each[1] for each in ran), sum(each[1] - each[0] for each in ran)
    best = min(ran, key=lambda each: each[2].place)

    def plot(axes: Axes) -> None:
        for place, (start, end, job) in enumerate(ran):
            axes.barh(place, end - start, left=start, height=0.7, color=SERIES[0] if job is not best[2] else SERIES[1])
            word, colour = (", best", INK) if job is best[2] else ("", MUTED)
            write_at_end(axes, end, place, f"{number(job.value)}{word}", colour)
        axes.set_yticks(range(len(ran)), [job.name for *_, job in ran], size=8)
        axes.set(ylim=(len(ran) - 0.4, -0.6), xlim=(0, 1.25 * took))
        axes.set_xlabel(f"seconds; beside a bar: {jobs[0].monitor}")
        axes.grid(False, axis="y")

    message = (
        f"When each of {len(ran)} jobs ran, and its {jobs[0].monitor}: up to {together} at the same time, {took:.3g} s "
        f"in all, where one after another takes {alone:.3g} s. The best is drawn in the second colour."
    )
    return draw("timeline", "Jobs side by side", message, plot, height=1.0 + 0.24 * len(ran), left=0.2)


def _span(job: RecordedJob) -> tuple[float, float] | None:
    try:
        start, end = (
            datetime.datetime.fromisoformat(job.record.facts[name]).timestamp() for name in ("started", "finished")
        )
    except (KeyError, TypeError, ValueError):
        return None
    return start, end
