"""Draws the scores of a sweep's jobs over one of its keys, with a line for each value of another."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dltrain.base.plain_table import number
from dltrain.report.job import LISTED, RecordedJob, numbers_of, short_value
from dltrain.report.svg import (
    ACCENT,
    LINES,
    SECOND,
    SERIES,
    Picture,
    draw,
    draw_panels,
    explained_legend,
    in_legend,
    legend_columns,
    prepare,
    scale_values,
    short,
)
from dltrain.report.words import main_metric

MOST_SETTINGS = len(SERIES)  # settings in one picture, each with its colour
MOST_PANELS = 3  # values of a third key
LEAST_VALUES = 3  # of a key, for a curve over it
LEAST_FILLED = 0.7  # share of the combinations that were tried
LOG_SPAN = 8.0  # if the largest value is so many times the smallest, the axis is logarithmic
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class _Plan:
    """What is drawn along the axis, by line and by panel; the last two may be missing."""

    axis: str
    line: str | None = None
    panel: str | None = None


def scores_over(jobs: Sequence[RecordedJob]) -> Picture | None:
    """Draws the main metric over the key with the most numbers; None if no key has enough of them.

    A second key gives the lines, a third one the panels. Lists of equal numbers, as those of `model.units`, are two
    keys: the number, and how often it stands there.
    """
    jobs = _with_sizes(jobs)
    plan = _plan(jobs)
    if plan is None:
        return None
    return _parts_over(jobs, plan.axis) if plan.line is None else _lines_over(jobs, plan)


def _with_sizes(jobs: Sequence[RecordedJob]) -> list[RecordedJob]:
    """Returns the jobs with the number of units and that of layers in place of lists such as [32,32]."""
    words = [dict(job.words) for job in jobs]
    for key in jobs[0].words:
        if all(LISTED.fullmatch(each[key]) for each in words):
            lists = [each.pop(key).strip("[]").split(",") for each in words]
            own = {f"{key}, each layer": [each[0] for each in lists], "layers": [str(len(each)) for each in lists]}
            for name, values in own.items():
                if len(set(values)) > 1:
                    for each, value in zip(words, values, strict=True):
                        each[name] = value
    return [replace(job, words=own) for job, own in zip(jobs, words, strict=True)]


def _plan(jobs: Sequence[RecordedJob]) -> _Plan | None:
    counts = {key: len({job.words[key] for job in jobs}) for key in jobs[0].words}
    axis = max(counts, key=lambda key: len(numbers_of(jobs, key)), default=None)
    if axis is None or len(numbers_of(jobs, axis)) < LEAST_VALUES or len(counts) > 3:
        return None
    others = sorted((key for key in counts if key != axis), key=lambda key: -counts[key])
    known = {tuple(job.words.values()) for job in jobs}
    most = (MOST_SETTINGS, MOST_PANELS)
    if len(known) < len(jobs) or len(jobs) < LEAST_FILLED * math.prod(counts.values()):
        return None
    if any(counts[key] > limit for key, limit in zip(others, most, strict=False)):
        return None
    return _Plan(axis, *others)


def _score(job: RecordedJob, part: str, metric: str) -> float:
    value = job.record.scores(part).get(metric)
    return math.nan if value is None else float(value)


def _scale_axis(axes: Axes, values: Sequence[float]) -> None:
    """Makes the axis of numbers logarithmic if they differ much, and marks each of them."""
    if values[0] > 0 and values[-1] > LOG_SPAN * values[0]:
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.set_xticks(values, [f"{value:g}" for value in values])


def _parts_over(jobs: Sequence[RecordedJob], key: str) -> Picture:
    """Draws the main metric of each part over a number, with the interval of the test part if it was scored."""
    ordered = sorted(jobs, key=lambda job: float(job.words[key]))
    values = [float(job.words[key]) for job in ordered]
    metric = main_metric(ordered[0].record.metrics)
    scores = {part: np.array([_score(job, part, metric) for job in ordered]) for part in PARTS}
    ranges = [(job.record.metrics.get("intervals") or {}).get("test", {}).get(metric) for job in ordered]
    lines = {"train": (SECOND, "--", "s"), "validation": (ACCENT, "-", "o"), "test": (SERIES[2], "-.", "^")}

    def plot(axes: Axes) -> None:
        for part, (colour, line, marker) in lines.items():
            if np.isfinite(scores[part]).any():
                axes.plot(values, scores[part], color=colour, linestyle=line, marker=marker, markersize=5, label=part)
        if all(ranges):
            between = np.array(ranges, float).T
            axes.vlines(values, between[0], between[1], color=SERIES[2], linewidth=1.2, label="test, 95 %")
        _scale_axis(axes, values)
        scale_values(axes, np.concatenate(list(scores.values())))
        axes.set(xlabel=key, ylabel=metric)
        axes.legend(loc="best")

    known = {part: each for part, each in scores.items() if np.isfinite(each).any()}
    said = ", ".join(f"{part} from {number(each[0])} to {number(each[-1])}" for part, each in known.items())
    message = f"{metric} for {key} from {values[0]:g} to {values[-1]:g}: {said}."
    if all(ranges):
        widths = [float(high) - float(low) for low, high in ranges]
        message += f" The test part's 95 % interval is {number(widths[0])} wide at first, {number(widths[-1])} at last."
    return draw("over_setting", f"{metric} over {key}", message, plot, height=3.4, left=0.15)


def _lines_over(jobs: Sequence[RecordedJob], plan: _Plan) -> Picture:
    """Draws train and validation of each value of the second key over the first, and a panel for each of the third."""
    metric = main_metric(jobs[0].record.metrics)
    values = numbers_of(jobs, plan.axis)
    lines = _values(jobs, plan.line)
    panels = _values(jobs, plan.panel)
    names = [f"{plan.line} {short_value(line or '')}" for line in lines]
    columns = legend_columns(names)
    legend = 0.19 * (1 + math.ceil(len(lines) / columns)) + 0.2
    inside = 2.4 if len(panels) == 1 else 1.7
    height = (inside + 0.35) * len(panels) + legend + 0.3

    def plot(figure: Figure) -> None:
        drawn: list[Axes] = []
        for row, panel in enumerate(panels):
            bottom = height - (inside + 0.35) * (row + 1) + 0.05
            area = (0.16, bottom / height, 0.81, inside / height)
            axes = prepare(
                figure.add_axes(area, sharex=drawn[0] if drawn else None, sharey=drawn[0] if drawn else None)
            )
            drawn.append(axes)
            for place, line in enumerate(lines):
                own = _chosen(jobs, {plan.line: line, plan.panel: panel})
                for part, style, width in (("train", "--", 1.0), ("validation", "-", 1.7)):
                    course = [_score(own[value], part, metric) if value in own else math.nan for value in values]
                    marker = MARKERS[place] if part == "validation" else None
                    axes.plot(values, course, style, color=SERIES[place], marker=marker, markersize=5, linewidth=width)
            _scale_axis(axes, values)
            if panel is not None:
                axes.set_title(f"{plan.panel} {short_value(panel)}", loc="left", fontsize=9)
            axes.set_ylabel(metric)
            if row + 1 < len(panels):
                axes.tick_params(labelbottom=False)
        drawn[-1].set_xlabel(plan.axis)
        for place, name in enumerate(names):
            drawn[0].plot([], [], MARKERS[place] + "-", color=SERIES[place], label=in_legend(name))
        explained_legend(figure, drawn[0], LINES, columns)

    def told(line: str | None, panel: str | None) -> str:
        words = [f"{key} {value}" for key, value in ((plan.line, line), (plan.panel, panel)) if key]
        own = _chosen(jobs, {plan.line: line, plan.panel: panel})
        scores = ", ".join(f"{number(_score(job, 'validation', metric))} at {value:g}" for value, job in own.items())
        return f"{', '.join(words)}: {scores}"

    said = "; ".join(told(line, panel) for panel, line in itertools.product(panels, lines))
    message = f"{metric} of the validation part over {plan.axis}. {said}."
    return draw_panels("over_setting", f"{metric} over {plan.axis}", message, plot, height=height)


def _values(jobs: Sequence[RecordedJob], key: str | None) -> list[str | None]:
    """Returns the values of a key in the order in which they were typed; a single None without a key."""
    return [None] if key is None else list(dict.fromkeys(job.words[key] for job in jobs))


def _chosen(jobs: Sequence[RecordedJob], words: Mapping[str | None, str | None]) -> dict[float, RecordedJob]:
    """Returns the jobs with these words by the number that is left, in its order."""
    own = [job for job in jobs if all(key is None or job.words[key] == value for key, value in words.items())]
    left = next(key for key in jobs[0].words if key not in words)
    return dict(sorted(((float(job.words[left]), job) for job in own), key=lambda pair: pair[0]))


def crossed(jobs: Sequence[RecordedJob], one: str, two: str) -> Iterator[Picture]:
    """Draws the main validation metric for each pair of values of two keys, if every pair was tried."""
    ones, twos = (list(dict.fromkeys(job.words[key] for job in jobs)) for key in (one, two))
    if len(ones) * len(twos) != len(jobs) or len(ones) < 2 or len(twos) < 2:
        return
    if len(ones) > len(twos):
        one, two, ones, twos = two, one, twos, ones
    metric = main_metric(jobs[0].record.metrics)
    scores = {(job.words[one], job.words[two]): job.record.scores("validation").get(metric, math.nan) for job in jobs}
    if len(twos) > MOST_SETTINGS:
        return

    def plot(axes: Axes) -> None:
        places = np.arange(len(ones))
        for place, value in enumerate(twos):
            heights = [scores[each, value] for each in ones]
            axes.plot(places, heights, color=SERIES[place], marker=MARKERS[place], label=short(value))
        scale_values(axes, [math.nan if value is None else value for value in scores.values()])
        axes.set_xticks(places, [short(each) for each in ones])
        axes.set(xlim=(-0.25, len(ones) - 0.75), xlabel=one, ylabel=f"{metric}, validation")
        axes.legend(loc="best", title=two, title_fontsize=9)

    said = "; ".join(
        f"{two}={value}: {', '.join(f'{number(scores[each, value])} with {each}' for each in ones)}" for value in twos
    )
    yield draw("crossed", f"{one} and {two}", f"Validation {metric} by {one}, {said}.", plot, height=3.4, left=0.16)
