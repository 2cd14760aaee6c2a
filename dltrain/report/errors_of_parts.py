"""Draws what the parts of a sweep's jobs show: scores, the four cases of error, targets, and answers to them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dltrain.base.notes import counted
from dltrain.base.plain_table import number
from dltrain.record.signature import Signature
from dltrain.report.answers import Answers, read_answers
from dltrain.report.job import RecordedJob
from dltrain.report.svg import (
    ACCENT,
    INK,
    MUTED,
    SECOND,
    SERIES,
    Picture,
    draw,
    draw_panels,
    prepare,
    short,
    write_at_end,
)
from dltrain.report.words import main_metric

HIGH = 0.4  # share of the highest of the four errors, or gaps, that counts as high
REMEDIES = {
    (True, False): "bias: a larger network, longer training",
    (False, True): "variance: more rows, regularization",
    (True, True): "bias and variance: a larger network first",
    (False, False): "neither",
}
MOST_CLASSES = 12
MOST_DOTS = 240  # of the answers of a job
PREDICTIONS = "predictions.csv"
BINS = 24
PARTS = ("train", "validation", "test")
PART_COLOURS = (SECOND, ACCENT, SERIES[2])
MOST_ANSWERS = 6  # jobs whose answers, or scores of parts, are drawn


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
                write_at_end(axes, each[part], place + shift, number(each[part]))
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
    """Draws what each job answers for the validation part over what is true; None unless the jobs differ in the head.

    Amounts are drawn over the true ones, probabilities of a class or label over whether the row has it.
    """
    tasks = {str(job.record.facts.get("task")) for job in jobs}
    if not (len(tasks) > 1 or any(key.startswith("task") for key in jobs[0].words)) or len(jobs) > MOST_ANSWERS:
        return None
    if not all((job.record.path / PREDICTIONS).exists() for job in jobs):
        return None  # folds have one for all
    signatures = [Signature.of(job.record) for job in jobs]
    if any(signature.kind.deviation or signature.kind.quantiles for signature in signatures):
        return None
    found = [
        read_answers(job.record.path / PREDICTIONS, signature.kind, signature.classes).get("validation")
        for job, signature in zip(jobs, signatures, strict=True)
    ]
    shown = {job.name: answers for job, answers in zip(jobs, found, strict=True) if answers is not None}
    if len(shown) < len(jobs):
        return None
    columns = min(2, len(shown))
    rows = math.ceil(len(shown) / columns)
    inside, width = 1.55, 0.88 / columns
    above = 0.55 if len(tasks) > 1 else 0.4
    height = (inside + above + 0.4) * rows
    together = [*shown.values()] if len(tasks) == 1 else []
    last = [
        str(job.record.settings.get("task.activation") or next(iter(signature.kind.activations), "no activation"))
        for job, signature in zip(jobs, signatures, strict=True)
    ]

    def plot(figure: Figure) -> None:
        for place, (name, answers) in enumerate(shown.items()):
            row, column = divmod(place, columns)
            bottom = height - (inside + above) * (row + 1) - 0.4 * row
            area = (0.13 + (width + 0.01) * column, bottom / height, width - 0.09, inside / height)
            axes = prepare(figure.add_axes(area))
            _answers(axes, answers, together or [answers], SERIES[place])
            units = answers.given.shape[1] if answers.given.ndim > 1 and not answers.task.two_classes else 1
            head = f"\n{last[place]}, {counted(units, 'unit')}" if len(tasks) > 1 else ""
            axes.set_title(name + head, loc="left", fontsize=9)
            if column == 0:
                axes.set_ylabel("answer")

    said = "; ".join(
        f"{name}: from {number(float(answers.given.min()))} to {number(float(answers.given.max()))}"
        for name, answers in shown.items()
    )
    message = (
        "Answers for the validation part over what is true: amounts, which agree on the dotted line, and probabilities "
        f"of classes that a row has or has not. Answers, {said}."
    )
    return draw_panels("answers", "Answer and truth", message, plot, height=height)


def _answers(axes: Axes, answers: Answers, together: Sequence[Answers], colour: str) -> None:
    """Draws answers over the truth; `together` are those whose range of amounts the axes have."""
    if answers.task.quantity:
        everything = np.concatenate([[*each.truth, *each.given.ravel()] for each in together])
        low, high = float(everything.min()), float(everything.max())
        axes.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle=":")
        few = slice(None, None, -(-len(answers.truth) // MOST_DOTS))
        axes.plot(answers.truth[few], answers.given.ravel()[few], "o", color=colour, markersize=3, alpha=0.6)
        axes.set(xlim=(low, high), ylim=(low, high), xlabel="true amount")
        return
    truth = answers.truth if answers.task.labels else np.eye(len(answers.classes))[answers.truth]
    given = answers.given
    if answers.task.two_classes:
        truth, given = truth[:, 1:], given[:, 1:]
    few = slice(None, None, -(-len(truth) // max(1, MOST_DOTS // max(1, truth.shape[1]))))
    truth, given = truth[few], given[few]
    beside = 0.5 * (np.arange(truth.size) * 0.618 % 1 - 0.5)  # so that equal points are told apart
    axes.plot(truth.ravel() + beside, given.ravel(), "o", color=colour, markersize=3, alpha=0.4)
    axes.set_xticks([0, 1], ["is not so", "is so"])
    axes.set(xlim=(-0.5, 1.5), ylim=(-0.03, 1.03), xlabel="true label" if answers.task.labels else "true class")


def scores_of_parts(jobs: Sequence[RecordedJob]) -> Picture | None:
    """Draws the main metric of each part of each job; None unless the jobs differ in the split."""
    if not any(key.startswith("split") for key in jobs[0].words) or len(jobs) > MOST_ANSWERS:
        return None
    metric = main_metric(jobs[0].record.metrics)
    scores = [{part: job.record.scores(part).get(metric) for part in PARTS} for job in jobs]
    ranges = [(job.record.metrics.get("intervals") or {}).get("test", {}).get(metric) for job in jobs]

    def plot(axes: Axes) -> None:
        for place, each in enumerate(scores):
            for shift, part, colour in zip((-0.22, 0.0, 0.22), PARTS, PART_COLOURS, strict=True):
                value = each[part]
                if value is None:
                    continue
                axes.barh(place + shift, value, height=0.2, color=colour)
                end = value
                if part == "test" and ranges[place]:
                    axes.plot(ranges[place], [place + shift] * 2, color=INK, linewidth=1.2)
                    end = max(ranges[place])
                write_at_end(axes, end, place + shift, f"{part} {number(value)}")
            axes.text(0, place - 0.36, jobs[place].name, size=9, color=INK)
        axes.set(ylim=(len(jobs) - 0.5, -0.55), yticks=[], xlabel=f"{metric}; the line: 95 % interval of the test part")
        axes.set_xlim(right=1.25 * axes.get_xlim()[1])
        axes.grid(False, axis="y")

    said = "; ".join(
        f"{job.name}: " + ", ".join(f"{part} {number(value)}" for part, value in each.items() if value is not None)
        for job, each in zip(jobs, scores, strict=True)
    )
    return draw(
        "scores_of_parts",
        f"{metric} of each part",
        f"{metric} of each part. {said}.",
        plot,
        height=0.7 + 1.1 * len(jobs),
        left=0.04,
    )


def targets_of_parts(jobs: Sequence[RecordedJob]) -> Picture | None:
    """Draws how the target is distributed in each part of each job; None unless the jobs differ in the split."""
    if not any(key.startswith("split") for key in jobs[0].words) or len(jobs) > 4:
        return None
    if not all((job.record.path / PREDICTIONS).exists() for job in jobs):
        return None
    answers = []
    for job in jobs:
        signature = Signature.of(job.record)
        answers.append(read_answers(job.record.path / PREDICTIONS, signature.kind, signature.classes))
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
                colour = PART_COLOURS[PARTS.index(part)]
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
