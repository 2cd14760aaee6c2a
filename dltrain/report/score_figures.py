"""Draws the pictures of a run's scores: errors, curves over thresholds, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

from dltrain.base.plain_table import digits
from dltrain.report.answers import Answers, Calibration, Numbers, Thresholds
from dltrain.report.svg import ACCENT, INK, LEGEND_ROW, MUTED, SECOND, SERIES, Picture, draw, legend_below, short

MOST_COLOURED = len(SERIES)  # of the curves of classes in one picture; the others are grey
MOST_CURVES = 40  # of classes in one picture
FEW_LINES = 4  # whose legend has room in the picture
MOST_NUMBERED = 12  # with more classes a confusion matrix shows no counts
MOST_POINTS = 1_500
CURVE_POINTS = 200
STYLES = ("-", "--", "-.", ":")

View = tuple[str, Any, Numbers]


def confusion_matrix(counts: Any, classes: Sequence[str], part: str, *, weighted: bool = False) -> Picture:
    """Draws counts of rows by true and predicted class, each shaded by its share of the true class.

    `weighted` tells whether the rows have weights, by which the counts do not go.
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    many = len(classes) > MOST_NUMBERED

    def plot(axes: Axes) -> None:
        axes.grid(False)
        axes.pcolormesh(np.zeros_like(shares), alpha=0)  # sets the limits
        for row, column in np.ndindex(*shares.shape):
            if shares[row, column] > 0:
                shade = 0.85 * shares[row, column]
                axes.fill_between([column, column + 1], row, row + 1, color=ACCENT, alpha=shade, linewidth=0)
            if not many:
                count = f"{counts[row, column]:,}"
                axes.text(column + 0.5, row + 0.5, count, ha="center", va="center", color=INK, size=10)
        ticks = np.arange(len(classes)) + 0.5
        if len(classes) <= 2 * MOST_NUMBERED:
            axes.set_xticks(ticks, [short(name) for name in classes], rotation=90 if len(classes) > 4 else 0)
            axes.set_yticks(ticks, [short(name) for name in classes])
        axes.set(xlim=(0, len(classes)), ylim=(len(classes), 0), xlabel="predicted", ylabel="true")

    right = int(np.trace(counts))
    message = f"{right:,} of {int(counts.sum()):,} {part} rows are on the diagonal, where prediction and truth agree."
    message += " Each row counts once here, whatever its weight." if weighted else ""
    long = len(classes) > 4
    height = 3.1 if not long else min(7.0, 2.6 + 0.22 * len(classes))
    return draw("confusion_matrix", "Confusion matrix", message, plot, height=height, left=0.3 if long else 0.22)


def binary_views(answers: Answers) -> list[View]:
    """Returns name, truth and probability of classes or labels that have both kinds of rows, frequent ones first."""
    if answers.task.two_classes:
        views = [(answers.classes[1], answers.truth == 1, answers.given[:, 1])]
    elif answers.task.several_classes:
        views = [(name, answers.truth == n, answers.given[:, n]) for n, name in enumerate(answers.classes)]
    else:
        views = [(name, answers.truth[:, n] == 1, answers.given[:, n]) for n, name in enumerate(answers.classes)]
    both = [view for view in views if view[1].any() and not view[1].all()]
    return sorted(both, key=lambda view: -view[1].sum())


def few_enough(views: list[View]) -> list[View]:
    """Returns the views to draw; of very many, those of frequent classes, and of equally frequent ones all or none."""
    if len(views) <= MOST_CURVES:
        return views
    too_few = views[MOST_CURVES][1].sum()
    return [view for view in views if view[1].sum() > too_few]


def roc_and_precision_recall(answers: Answers) -> list[Picture]:
    """Draws the two curves of each class or label that has both kinds of rows; without any there is no picture."""
    views = few_enough(binary_views(answers))
    if not views:
        return []
    roc, recall = [], []
    for name, truth, given in views:
        alarms, hits, _ = roc_curve(truth, given, sample_weight=answers.weights)
        roc.append((name, *_thinned(alarms, hits), float(auc(alarms, hits))))
        precision, found, _ = precision_recall_curve(truth, given, sample_weight=answers.weights)
        average = float(average_precision_score(truth, given, sample_weight=answers.weights))
        recall.append((name, *_thinned(found, precision), average))
    base = float(np.average(views[0][1], weights=answers.weights)) if len(views) == 1 else None
    return [
        _curves("roc", "ROC", roc, "false positive rate", "true positive rate", "area", answers.part, diagonal=True),
        _curves(
            "precision_recall", "Precision and recall", recall, "recall", "precision", "AP", answers.part, base=base
        ),
    ]


def _curves(
    name: str,
    title: str,
    lines: list[tuple[str, Numbers, Numbers, float]],
    x: str,
    y: str,
    measure: str,
    part: str,
    *,
    diagonal: bool = False,
    base: float | None = None,
) -> Picture:
    coloured, grey = lines[:MOST_COLOURED], lines[MOST_COLOURED:]
    others = f"{len(grey)} other{'s' if len(grey) > 1 else ''}"
    areas = sorted(area for *_, area in grey)
    between = f"{areas[0]:.3f} to {areas[-1]:.3f}" if len(grey) > 1 else "".join(f"{area:.3f}" for area in areas)
    rows = math.ceil((len(coloured) + bool(grey)) / 2) if len(lines) > FEW_LINES else 0

    def plot(axes: Axes) -> None:
        if diagonal:
            axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
        if base is not None:
            axes.axhline(base, color=MUTED, linewidth=1, linestyle=":")
        for place, (label, xs, ys, area) in enumerate(coloured):
            style, name_of_line = STYLES[place % len(STYLES)], f"{short(label)} ({measure} {area:.3f})"
            axes.plot(xs, ys, color=SERIES[place], linestyle=style, label=name_of_line)
        for place, (_, xs, ys, _) in enumerate(grey):
            once = None if place else f"{others} ({between})"
            axes.plot(xs, ys, color=MUTED, linewidth=0.8, alpha=0.6, zorder=1.5, label=once)
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=x, ylabel=y)
        if rows:
            legend_below(axes)
        else:
            axes.legend(loc="lower right" if diagonal else "lower left", fontsize=9)

    said = ", ".join(f"{area:.3f} for {short(label)}" for label, *_, area in coloured)
    said += f", {between} for {others} in grey" if grey else ""
    chance = " 0.5 is chance." if diagonal else f" The share of the class is {base:.3f}." if base is not None else ""
    message = f"On {part}: {'area under the curve' if diagonal else 'average precision'} {said}.{chance}"
    return draw(name, title, message, plot, height=3.4, below=LEGEND_ROW * rows)


def _thinned(xs: Numbers, ys: Numbers) -> tuple[Numbers, Numbers]:
    if len(xs) <= CURVE_POINTS:
        return xs, ys
    kept = np.unique(np.linspace(0, len(xs) - 1, CURVE_POINTS).astype(int))
    return xs[kept], ys[kept]


def reliability(found: Calibration, part: str, *, weighted: bool = False) -> Picture:
    """Draws predicted probabilities against the share that came true, a dot for each bin, sized by its rows.

    `weighted` tells whether the rows have weights, which `found` goes by.
    """

    def plot(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
        axes.plot(found.confidence, found.share, color=ACCENT)
        axes.scatter(found.confidence, found.share, s=15 + 150 * found.rows / found.rows.max(), color=ACCENT, alpha=0.6)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.04, 1.04), xlabel="predicted probability", ylabel="share that came true")

    message = (
        f"On {part}: probabilities and what came true differ by {found.error:.3f} on average (expected calibration "
        "error, ten bins); on the dotted line they agree. A larger dot stands for more rows"
        f"{', as weighted' if weighted else ''}."
    )
    return draw("calibration", "Calibration", message, plot, height=3.4)


def threshold_curves(found: Thresholds, chosen: float) -> Picture:
    """Draws precision, recall and F1 of the validation part over the threshold."""

    def plot(axes: Axes) -> None:
        axes.plot(found.values, found.precision, color=SECOND, linestyle="--", label="precision")
        axes.plot(found.values, found.recall, color=SERIES[2], linestyle="-.", label="recall")
        axes.plot(found.values, found.f1, color=ACCENT, label="F1")
        axes.axvline(chosen, color=MUTED, linewidth=1, linestyle=":")
        axes.set(xlim=(0, 1), ylim=(-0.02, 1.03), xlabel="threshold")
        axes.legend(loc="best")

    message = f"On validation F1 is greatest, {np.nanmax(found.f1):.3f}, at the threshold {chosen:.2f}."
    return draw("thresholds", "Threshold", message, plot, height=3.4)


def regression_pictures(answers: Answers) -> list[Picture]:
    """Draws predicted against true values, and the residuals over the prediction."""
    truth, given, weights = answers.truth, answers.given, answers.counts
    if len(truth) > MOST_POINTS:
        kept = np.random.default_rng(0).choice(len(truth), MOST_POINTS, replace=False)
        truth, given, weights = truth[kept], given[kept], weights[kept]
    residuals = given - truth
    low, high = float(min(truth.min(), given.min())), float(max(truth.max(), given.max()))
    dots: dict[str, Any] = {"s": 14, "color": ACCENT, "alpha": 0.55, "linewidths": 0}

    def against(axes: Axes) -> None:
        axes.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle=":")
        axes.scatter(truth, given, **dots)
        axes.set(xlabel="true", ylabel="predicted")

    def left_over(axes: Axes) -> None:
        axes.axhline(0, color=MUTED, linewidth=1, linestyle=":")
        axes.scatter(given, residuals, **dots)
        axes.set(xlabel="predicted", ylabel="predicted − true")

    def counts(axes: Axes) -> None:
        axes.hist(residuals, bins=min(30, max(5, len(residuals) // 5)), weights=weights, color=ACCENT, alpha=0.75)
        axes.axvline(0, color=MUTED, linewidth=1, linestyle=":")
        axes.set(xlabel="predicted − true", ylabel="rows" if answers.weights is None else "sum of weights")

    shown = f"{len(truth):,} {answers.part} rows"
    mean = float(np.average(residuals, weights=weights))
    deviation = float(np.sqrt(np.average(np.square(residuals - mean), weights=weights)))
    weighted = "" if answers.weights is None else ", weighted as the rows are"
    spread = f"Mean of the residuals {digits(mean)}, standard deviation {digits(deviation)}{weighted}"
    covariance = np.cov(truth, given, ddof=0, aweights=weights)
    correlation = (
        float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
        if truth.std() > 0 and given.std() > 0
        else float("nan")
    )
    agree = f"{shown}; correlation {correlation:.3f}{weighted}; on the dotted line prediction and truth agree."
    return [
        draw("predicted_true", "Predicted against true", agree, against, height=3.4, left=0.16),
        draw("residuals", "Residuals", f"{shown}. {spread}.", left_over, height=3.4, left=0.16),
        draw("residual_counts", "Distribution of residuals", f"{shown}. {spread}.", counts, height=3.4, left=0.16),
    ]
