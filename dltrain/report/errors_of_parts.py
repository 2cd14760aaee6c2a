"""Draws what the parts of a sweep's jobs show: the four cases of train and validation error, and their targets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dltrain.base.plain_table import number
from dltrain.record.signature import Signature
from dltrain.report.answers import Answers, read_answers
from dltrain.report.job import RecordedJob
from dltrain.report.svg import ACCENT, INK, MUTED, SECOND, SERIES, Picture, draw, draw_panels, prepare, short
from dltrain.report.words import main_metric

HIGH = 0.4  # share of the highest of the four errors, or gaps, that counts as high
REMEDIES = {
    (True, False): "bias: a larger network, longer training",
    (False, True): "variance: more rows, regularization",
    (True, True): "bias and variance: a larger network first",
    (False, False): "neither",
}
MOST_CLASSES = 12
BINS = 24
PARTS = ("train", "validation", "test")


def four_cases(jobs: Sequence[RecordedJob]) -> Picture | None:
    """Draws the errors of train and validation of the four jobs of two keys with two values each; None for others."""
    counts = [len({job.words[key] for job in jobs}) for key in jobs[0].words]
    if len(jobs) != 4 or counts != [2, 2]:
        return None
    metric = main_metric(jobs[0].record.metrics)
    best = jobs[0].record.traits(metric).best or 0.0
    scores = [{part: job.record.scores(part).get(metric) for part in PARTS[:2]} for job in jobs]
    if any(value is None for each in scores for value in each.values()):
        return None
    errors = [{part: abs(best - float(value or 0.0)) for part, value in each.items()} for each in scores]
    gaps = [max(0.0, each["validation"] - each["train"]) for each in errors]
    limits = HIGH * max(each["train"] for each in errors), HIGH * max(gaps)
    cases = [REMEDIES[each["train"] > limits[0], gap > limits[1]] for each, gap in zip(errors, gaps, strict=True)]
    label = f"{best:g} - {metric}" if best else metric

    def plot(axes: Axes) -> None:
        for place, each in enumerate(errors):
            for part, colour, shift in (("train", SECOND, -0.1), ("validation", ACCENT, 0.12)):
                axes.barh(place + shift, each[part], height=0.2, color=colour, label=part if place == 0 else None)
                axes.text(each[part], place + shift, f" {number(each[part])}", va="center", size=8, color=MUTED)
            axes.text(0, place - 0.25, jobs[place].name, size=9, color=INK)
            axes.text(0, place + 0.26, cases[place], size=8, color=MUTED, va="top")
        axes.set(ylim=(3.5, -0.5), yticks=[], xlabel=f"error ({label})")
        axes.set_xlim(right=1.15 * max(each["validation"] for each in errors))
        axes.grid(False, axis="y")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 0.98), ncols=2, borderaxespad=0)

    said = "; ".join(
        f"{job.name}: {number(each['train'])} and {number(each['validation'])}, {case}"
        for job, each, case in zip(jobs, errors, cases, strict=True)
    )
    message = f"The error ({label}) of train and validation in four cases. {said}."
    return draw("four_cases", "Bias and variance", message, plot, height=4.8, left=0.04)


def answers_of_jobs(jobs: Sequence[RecordedJob]) -> Picture | None:
    """Draws predicted against true amounts of the validation part for each job; None unless the jobs differ in task."""
    if not any(key.startswith("task") for key in jobs[0].words) or len(jobs) > 4:
        return None
    signatures = [Signature.of(job.record) for job in jobs]
    if not all(signature.kind.quantity for signature in signatures):
        return None
    found = [
        read_answers(job.record.path / "predictions.csv", signature.kind, signature.classes).get("validation")
        for job, signature in zip(jobs, signatures, strict=True)
    ]
    shown = {job.name: answers for job, answers in zip(jobs, found, strict=True) if answers is not None}
    if len(shown) < len(jobs) or any(answers.truth.ndim > 1 for answers in shown.values()):
        return None
    everything = np.concatenate([[*answers.truth, *answers.given.ravel()] for answers in shown.values()])
    low, high = float(everything.min()), float(everything.max())
    columns = min(2, len(shown))
    rows = math.ceil(len(shown) / columns)
    inside, width = 1.8, 0.88 / columns
    height = (inside + 0.35) * rows + 0.4

    def plot(figure: Figure) -> None:
        for place, (name, answers) in enumerate(shown.items()):
            row, column = divmod(place, columns)
            bottom = height - (inside + 0.35) * (row + 1) + 0.05
            area = (0.1 + (width + 0.01) * column, bottom / height, width - 0.05, inside / height)
            axes = prepare(figure.add_axes(area))
            axes.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle=":")
            given = answers.given.reshape(len(answers.truth), -1)[:, 0]
            axes.plot(answers.truth, given, "o", color=SERIES[place], markersize=3, alpha=0.6)
            axes.set(xlim=(low, high), ylim=(low, high), xlabel="true")
            axes.set_title(name, loc="left", fontsize=9)
            if column == 0:
                axes.set_ylabel("predicted")

    said = "; ".join(
        f"{name}: from {number(float(answers.given.min()))} to {number(float(answers.given.max()))}"
        for name, answers in shown.items()
    )
    message = f"Predicted against true values of the validation part; on the dotted line they agree. Predicted {said}."
    return draw_panels("answers", "Predicted against true", message, plot, height=height)


def targets_of_parts(jobs: Sequence[RecordedJob]) -> Picture | None:
    """Draws how the target is distributed in each part of each job; None unless the jobs differ in the split."""
    if not any(key.startswith("split") for key in jobs[0].words) or len(jobs) > 4:
        return None
    answers = []
    for job in jobs:
        signature = Signature.of(job.record)
        answers.append(read_answers(job.record.path / "predictions.csv", signature.kind, signature.classes))
    classes = next(iter(answers[0].values())).classes if answers[0] else ()
    if not all(answers) or len(classes) > MOST_CLASSES or any(found["train"].truth.ndim > 1 for found in answers):
        return None
    everything = np.concatenate([each.truth for found in answers for each in found.values()])
    edges = np.arange(len(classes) + 1) - 0.5 if classes else np.linspace(everything.min(), everything.max(), BINS + 1)
    inside, gap = 1.0, 0.5
    height = (inside + gap) * len(jobs) + 0.55

    def plot(figure: Figure) -> None:
        for row, (job, found) in enumerate(zip(jobs, answers, strict=True)):
            bottom = height - (inside + gap) * (row + 1) + 0.2
            axes = prepare(figure.add_axes((0.12, bottom / height, 0.85, inside / height)))
            parts = [part for part in PARTS if part in found]
            width = 0.8 / len(parts)
            for place, part in enumerate(parts):
                shares = np.histogram(found[part].truth, edges)[0] / len(found[part].truth)
                colour = (SECOND, ACCENT, SERIES[2])[PARTS.index(part)]
                if classes:
                    at = np.arange(len(classes)) - 0.4 + width * (place + 0.5)
                    axes.bar(at, 100 * shares, width, color=colour, label=part)
                else:
                    axes.stairs(100 * shares, edges, color=colour, linewidth=1.4, label=part)
            axes.set_title(job.name, loc="left", fontsize=9)
            axes.set_ylabel("rows, %", size=8)
            if classes:
                axes.set_xticks(range(len(classes)), [short(name) for name in classes])
        axes.set_xlabel(", ".join(Signature.of(jobs[0].record).target))
        figure.legend(*axes.get_legend_handles_labels(), loc="lower left", bbox_to_anchor=(0.1, 0), ncols=3, fontsize=8)

    said = "; ".join(f"{job.name}: {_spread_of(found)}" for job, found in zip(jobs, answers, strict=True))
    message = f"How the target is distributed in the parts. Mean of the target, or share of its last class, {said}."
    return draw_panels("targets_of_parts", "The target in each part", message, plot, height=height)


def _spread_of(found: Mapping[str, Answers]) -> str:
    means = {part: found[part].truth for part in PARTS if part in found}
    return ", ".join(
        f"{part} {number(float(np.mean(truth == truth.max()) if truth.dtype.kind in 'iu' else np.mean(truth)))}"
        for part, truth in means.items()
        if len(truth) and math.isfinite(float(np.mean(truth)))
    )
