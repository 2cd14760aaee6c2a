"""Draws the folds or seeds of a run: the main metric of each, and their learning curves."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dltrain.base.plain_table import number
from dltrain.config.metric_traits import MetricTraits
from dltrain.report.repetitions import Repetitions
from dltrain.report.svg import ACCENT, LEGEND_ROW, MUTED, SECOND, SERIES, Picture, draw, legend_below

MOST_NUMBERED = 20  # with more of them the axis has few numbers


def repetition_pictures(found: Repetitions, metric: str, traits: MetricTraits, monitor: str) -> list[Picture]:
    """Draws each fold or seed by its main metric, and the curves of the monitored value."""
    made = [_scores(found, metric, traits)]
    if any(monitor in row for history in found.histories.values() for row in history[:1]):
        made.append(_curves(found, monitor))
    return made


def _scores(found: Repetitions, metric: str, traits: MetricTraits) -> Picture:
    values = np.array([own.get(metric) for own in found.each.values()], float)
    mean, deviation = (np.array(each.get(metric), float).item() for each in (found.mean, found.deviation))
    baselines = {name: value for name, value in found.baseline_means(metric).items() if value is not None}
    best = (max if traits.direction == "max" else min)(baselines, key=lambda name: baselines[name], default=None)

    def plot(axes: Axes) -> None:
        places = np.arange(len(values))
        around = "mean ± one standard deviation"
        axes.axhspan(mean - deviation, mean + deviation, color=ACCENT, alpha=0.15, linewidth=0, label=around)
        axes.axhline(mean, color=ACCENT, linewidth=1.2, label="mean")
        if best is not None:
            axes.axhline(baselines[best], color=MUTED, linewidth=1.2, linestyle="--", label=best)
        axes.plot(places, values, "o", color=SECOND, markersize=7)
        if len(values) <= MOST_NUMBERED:
            axes.set_xticks(places, list(found.each))
        axes.set(xlabel=found.what[:-1], ylabel=metric)
        axes.set_xlim(-0.5, len(values) - 0.5)
        legend_below(axes)

    message = (
        f"{metric} of each of {found.over}, from {number(np.nanmin(values))} to {number(np.nanmax(values))}; the line "
        f"is their mean {number(mean)}, the band one standard deviation, {number(deviation)}, to either side."
    )
    if best is not None:
        message += f" The dashed line is the mean of {best}, {number(baselines[best])}."
    below = LEGEND_ROW * 2 + 0.05
    return draw(found.what, f"{metric} of each {found.what[:-1]}", message, plot, left=0.16, below=below)


def _curves(found: Repetitions, monitor: str) -> Picture:
    curves = {
        name: np.array([row.get(monitor, np.nan) for row in history], float)
        for name, history in found.histories.items()
        if history
    }
    best = {name: int(own["best_epoch"]) for name, own in found.each.items() if own.get("best_epoch")}
    coloured = len(curves) <= len(SERIES)

    def plot(axes: Axes) -> None:
        for place, (name, values) in enumerate(curves.items()):
            colour = SERIES[place] if coloured else MUTED
            width, alpha = (1.4, 1.0) if coloured else (0.8, 0.6)
            axes.plot(np.arange(1, len(values) + 1), values, color=colour, linewidth=width, alpha=alpha, label=name)
            if 0 < best.get(name, 0) <= len(values):
                axes.plot([best[name]], [values[best[name] - 1]], "o", color=colour, markersize=5, alpha=alpha)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set(xlabel="epoch", ylabel=monitor)
        if coloured:
            axes.legend(loc="best", title=found.what[:-1], title_fontsize=9, ncols=1 + (len(curves) > 4))

    epochs = [best[name] for name in curves if name in best]
    said = f" A dot is its best epoch, between {min(epochs)} and {max(epochs)}." if epochs else ""
    message = f"{monitor} over the epochs, a line for each of {len(curves)} {found.what}.{said}"
    return draw(f"{found.what[:-1]}_curves", f"{monitor} of each {found.what[:-1]}", message, plot, left=0.16)
