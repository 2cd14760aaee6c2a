"""Draws the settings of a sweep side by side: learning curves, scores over settings, layers, what a search tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dltrain.base.plain_table import number
from dltrain.report import decision_boundary
from dltrain.report.callback_pictures import AUGMENTED_IMAGES, LAYERS, augmented_images, layer_spreads
from dltrain.report.errors_of_parts import answers_of_jobs, four_cases, scores_of_parts, targets_of_parts
from dltrain.report.job import Numbers, RecordedJob, differ_in_time, numbers_of
from dltrain.report.kernels import kernels
from dltrain.report.paces import LOSS_SPAN, checkpoints, over_paces, timeline
from dltrain.report.scores_over import LEAST_VALUES, MARKERS, MOST_SETTINGS, crossed, scores_over
from dltrain.report.svg import (
    ACCENT,
    LEGEND_ROW,
    LINES,
    MUTED,
    SECOND,
    SERIES,
    Picture,
    draw,
    draw_panels,
    explained_legend,
    in_legend,
    is_far_off,
    legend_below,
    legend_columns,
    plain_log,
    prepare,
    write_at_end,
)

MOST_LAYERED = 6  # settings in the picture of the layers
LEFT = 0.19  # share of the width left of the axes, for numbers such as 0.0001 and the label
MOST_WITH_TRAIN = 5  # settings whose train lines are drawn beside those of validation
MOST_NUMBERED = 40  # with more jobs their dots are not numbered


def side_by_side(jobs: Sequence[RecordedJob], rounds: int = 1) -> Iterator[Picture]:
    """Yields the pictures that these settings give, the most telling first; `rounds` are those of the search."""
    if len(jobs) < 2:
        return
    if len(jobs) <= MOST_LAYERED and all((job.record.path / LAYERS).exists() for job in jobs):
        found = {job.name: job.record.json(LAYERS) for job in jobs}
        yield layer_spreads({name: each["before"] for name, each in found.items()})
        yield from kernels({name: each.get("kernels", {}).get("after", []) for name, each in found.items()})
    if all((job.record.path / AUGMENTED_IMAGES).exists() for job in jobs):
        yield augmented_images({job.name: job.record for job in jobs})
    yield from _over_keys(jobs, rounds)
    for draw_if_it_says_something in (
        *(_answers, four_cases, over_paces, scores_of_parts, targets_of_parts, answers_of_jobs, checkpoints, timeline),
    ):
        picture = draw_if_it_says_something(jobs)
        if picture is not None:
            yield picture
    if all(job.record.history and job.watched in job.record.history[0] for job in jobs):
        best = {job.place for job in sorted(jobs, key=lambda job: job.place)[:MOST_SETTINGS]}
        yield _curves([job for job in jobs if job.place in best], [job for job in jobs if job.place not in best])


def _answers(jobs: Sequence[RecordedJob]) -> Picture | None:
    found = {job.name: decision_boundary.recorded(job.record) for job in jobs}
    return decision_boundary.of_jobs(found) if all(found.values()) else None


def _over_keys(jobs: Sequence[RecordedJob], rounds: int) -> Iterator[Picture]:
    """Yields the scores over the keys; of a search over two numbers what it tried."""
    keys = list(jobs[0].words)
    lines = scores_over(jobs)
    searched = jobs[0].record.choices.get("search") not in (None, "none")
    if len(keys) == 2 and all(len(numbers_of(jobs, key)) >= LEAST_VALUES for key in keys) and (searched or not lines):
        yield _tried(jobs, keys[0], keys[1], rounds)
    elif lines is not None:
        yield lines
    elif len(keys) == 2:
        yield from crossed(jobs, *keys)


def _curves(jobs: Sequence[RecordedJob], others: Sequence[RecordedJob]) -> Picture:
    """Draws train and validation of the best settings over the epochs, and validation of the others in grey.

    Below are the learning rates or the times, if they differ.
    """
    # The root mean square error has no penalties, which may differ between the settings.
    name = "val_rmse" if "val_rmse" in jobs[0].record.history[0] else jobs[0].watched
    trained = name.removeprefix("val_")
    below = _below(jobs)
    both = len(jobs) <= MOST_WITH_TRAIN
    lines = {trained: "--", name: "-"} if both else {name: "-"}
    drawn = LINES if both else "validation"
    columns = legend_columns([job.name for job in jobs])
    legend = 0.19 * (1 + math.ceil((len(jobs) + bool(others)) / columns)) + 0.1
    left = f"{len(others)} other{'s' if len(others) > 1 else ''}"
    parts = [2.6, *([1.25] if below else [])]
    height = sum(parts) + 0.45 * len(parts) + legend + 0.1

    def plot(figure: Figure) -> None:
        bottom = height - 0.1 - parts[0]
        axes = prepare(figure.add_axes((LEFT, bottom / height, 0.97 - LEFT, parts[0] / height)))
        seen: list[Numbers] = []
        for place in sorted(range(len(jobs)), key=lambda place: -len(jobs[place].record.history)):
            job, colour = jobs[place], SERIES[place]
            for column, line in lines.items():
                values = job.course(column)
                seen.append(values)
                axes.plot(np.arange(1, len(values) + 1), values, color=colour, linestyle=line, linewidth=1.4)
            best, values = int(job.record.metrics["best_epoch"]), job.course(name)
            if 0 < best <= len(values):
                axes.plot([best], [values[best - 1]], MARKERS[place], color=colour, markersize=6)
                axes.plot([len(values)], [values[-1]], "|", color=colour, markersize=12)
        for job in others:
            values = job.course(name)
            axes.plot(np.arange(1, len(values) + 1), values, color=MUTED, linewidth=0.7, alpha=0.5, zorder=1.5)
            seen.append(values)
        _scale(axes, np.concatenate(seen), np.array([np.nanmin(job.course(name)) for job in (*jobs, *others)]))
        axes.set_ylabel(trained)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel("epoch")
        for place, job in enumerate(jobs):
            axes.plot([], [], MARKERS[place] + "-", color=SERIES[place], label=in_legend(job.name))
        if others:
            axes.plot([], [], color=MUTED, linewidth=0.7, alpha=0.5, label=left)
        explained_legend(figure, axes, f"{drawn}; mark: best epoch, stroke: last", columns)
        if below:
            bottom -= 0.45 + parts[1]
            below(prepare(figure.add_axes((LEFT, bottom / height, 0.97 - LEFT, parts[1] / height))))

    best_of = {job.name: job.course(name)[int(job.record.metrics["best_epoch"]) - 1 :][:1] for job in jobs}
    said = ", ".join(f"{number(float(value[0]))} with {words}" for words, value in best_of.items() if len(value))
    message = (
        f"{trained} over the epochs: {'validation is the whole line, train the dashed one' if both else 'validation'}; "
        f"a mark is the best epoch, a stroke the last one: {said}. Settings: {', '.join(jobs[0].words)}."
    )
    if others:
        message += f" The {len(jobs)} best settings are in colour; grey is the validation of {left}."
    return draw_panels("side_by_side", "Learning curves side by side", message, plot, height=height)


def _scale(axes: Axes, values: Numbers, best: Numbers) -> None:
    """Scales the axis of the values of all epochs, of which `best` has the best of each job."""
    values = values[np.isfinite(values)]
    far = is_far_off(best[np.isfinite(best)])
    far = far or bool(len(values) and np.quantile(values, 0.98) > LOSS_SPAN * np.quantile(values, 0.02))
    if len(values) and values.min() > 0 and far:
        axes.set_yscale("log")
        plain_log(axes.yaxis)
    elif len(values):
        # A few far outliers would flatten all other epochs.
        middle, top = np.quantile(values, [0.5, 0.97])
        if values.max() > top + 2 * (top - middle):
            top += top - middle
            axes.set_ylim(float(values.min() - 0.04 * (top - values.min())), float(top))


def _below(jobs: Sequence[RecordedJob]) -> Callable[[Axes], None] | None:
    """Draws the learning rates if they change, or the time of an epoch if it differs; otherwise None."""
    rates = [job.course("learning_rate") for job in jobs]
    if any(len(each) and np.nanmin(each) < np.nanmax(each) for each in rates):

        def draw_rates(axes: Axes) -> None:
            for place, values in enumerate(rates):
                axes.plot(np.arange(1, len(values) + 1), values, color=SERIES[place], linewidth=1.4)
            axes.set_yscale("log")
            plain_log(axes.yaxis)
            axes.set_ylabel("learning rate", size=8)
            axes.set_xlabel("epoch")

        return draw_rates
    if differ_in_time(jobs):
        paces = [float(job.record.facts["seconds_per_epoch"]) for job in jobs]

        def draw_paces(axes: Axes) -> None:
            places = np.arange(len(jobs))
            axes.barh(places, paces, color=[SERIES[place] for place in places], height=0.6)
            for place, pace in enumerate(paces):
                write_at_end(axes, pace, place, f"{pace:.2g} s")
            axes.set_yticks([])
            axes.invert_yaxis()
            axes.set_xlim(right=1.2 * max(paces))
            axes.xaxis.set_major_locator(MaxNLocator(5, prune="upper"))  # the number at the end would be cut off
            axes.set_xlabel("seconds an epoch")

        return draw_paces
    return None


def _tried(jobs: Sequence[RecordedJob], one: str, two: str, rounds: int) -> Picture:
    """Draws which pairs of two numbers the jobs tried, the darker the better, and a box around each of the rounds."""
    places = [np.array([float(job.words[key]) for job in jobs]) for key in (one, two)]
    ranks = np.argsort(np.argsort([job.place for job in jobs])) / (len(jobs) - 1)
    best = int(np.argmin(ranks))
    turns = [place * rounds // len(jobs) for place in range(len(jobs))]

    def plot(axes: Axes) -> None:
        for place, rank in enumerate(ranks):
            colour = SERIES[turns[place] % len(SERIES)] if rounds > 1 else ACCENT
            axes.plot(places[0][place], places[1][place], "o", color=colour, alpha=1 - 0.85 * rank, markersize=9)
            if len(jobs) <= MOST_NUMBERED:
                name, at = jobs[place].record.path.name, (places[0][place], places[1][place])
                axes.annotate(name, at, xytext=(5, 4), textcoords="offset points", size=7, color=MUTED)
        axes.plot(places[0][best], places[1][best], "o", color=SECOND, markersize=12, fillstyle="none", label="best")
        for axis, scale, found in ((axes.xaxis, axes.set_xscale, places[0]), (axes.yaxis, axes.set_yscale, places[1])):
            if found.min() > 0 and found.max() > LOSS_SPAN * found.min():
                scale("log")
                plain_log(axis)
        for turn in range(rounds if rounds > 1 else 0):
            inside = [[value for value, own in zip(found, turns, strict=True) if own == turn] for found in places]
            if inside[0]:
                low, high = ([limit(found) for found in inside] for limit in (min, max))
                corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]), (low[0], low[1])]
                axes.plot(
                    *zip(*corners, strict=True),
                    color=SERIES[turn % len(SERIES)],
                    linewidth=1.2,
                    label=f"round {turn + 1}",
                )
        axes.set(xlabel=one, ylabel=two)
        axes.margins(0.08)
        axes.plot([], [], "o", color=MUTED, alpha=0.5, label="darker: better")
        legend_below(axes)

    message = (
        f"{len(jobs)} jobs tried {len(numbers_of(jobs, one))} values of {one} and {len(numbers_of(jobs, two))} of "
        f"{two}; the darker, the better {jobs[0].monitor}; the numbers are those of the jobs, in their order. "
        f"The best, {number(jobs[best].value)}, has "
        f"{one}={jobs[best].words[one]} and {two}={jobs[best].words[two]}."
    )
    if rounds > 1:
        message += f" A box is around each of {rounds} rounds, the later the smaller."
    below = LEGEND_ROW * math.ceil((2 + (rounds if rounds > 1 else 0)) / 2) + 0.05
    return draw("tried", f"{one} and {two}", message, plot, height=3.2, left=0.16, below=below)
