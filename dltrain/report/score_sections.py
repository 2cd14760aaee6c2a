"""The parts of a report that are about numbers: curves, folds, scores, right and wrong answers, thresholds.

Each function gives what stands in a section, in order: HTML, and groups of pictures that stand side by side.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dltrain.report import figures, score_figures
from dltrain.report.answers import Answers, calibration, confusion, per_class, thresholds
from dltrain.report.folds import Folds, folds_picture
from dltrain.report.page import Html, note, table
from dltrain.report.svg import Picture
from dltrain.report.words import main_metric, number

Part = Html | Sequence[Picture]

MOST_CLASSES = 40  # in the picture of the confusion matrix
THRESHOLD_HEAD = ("threshold", "part", "value", "accuracy", "balanced accuracy", "precision", "recall", "F1")


def learning(history: Sequence[Mapping[str, float]], best_epoch: int, besides: Collection[str]) -> list[Part]:
    """The metrics over the epochs.

    Args:
        history: the logs of each epoch.
        best_epoch: counted from 1.
        besides: what of the logs has a picture elsewhere.
    """
    if not history:
        return []
    rates = {epoch["learning_rate"] for epoch in history if "learning_rate" in epoch}
    constant = f" The learning rate was {rates.pop():g} throughout." if len(rates) == 1 else ""
    words = f"The dotted line is the best epoch, {best_epoch}.{constant}"
    return [note(words), figures.learning_curves(history, best_epoch, besides)]


def of_folds(folds: Folds | None, metrics: Mapping[str, Any]) -> list[Part]:
    """What each fold reached.

    Args:
        folds: of a cross-validated run, else None.
        metrics: of the run, with the means under `validation`.
    """
    if not folds:
        return []
    names = list(folds.deviation)
    rows = [
        [fold["fold"], f"{fold['rows']:,}", fold["best_epoch"], *(number(fold.get(name)) for name in names)]
        for fold in folds.each
    ]
    mean = metrics["validation"]
    rows.append(["mean ± sd", "", "", *(f"{number(mean[n])} ± {number(folds.deviation[n])}" for n in names)])
    words = (
        "Each fold was scored by a model that saw none of its rows. Below, validation stands for the scored folds "
        "together. In the curves, which are means over the folds, it is the part of a fold's own train rows that "
        "chose its best epoch. Importance, mistakes and layers are left out, since the model that is kept was "
        "trained on all these rows."
    )
    picture = [folds_picture(folds, main_metric(metrics))]
    return [note(words), picture, table("Every fold", ["fold", "rows", "best epoch", *names], rows)]


def scores(metrics: Mapping[str, Any], parts: Sequence[str]) -> list[Part]:
    """Every metric on every part, beside the baselines.

    Args:
        metrics: as metrics.json has them.
        parts: those that were scored; the last one has the intervals.
    """
    last = parts[-1]
    intervals, baselines = metrics.get("intervals", {}).get(last, {}), metrics.get("baselines", {})
    rows = []
    for name in metrics[last]:
        between = intervals.get(name)
        row = [name, *(number(metrics[part].get(name)) for part in parts)]
        row += [f"{number(between[0])} to {number(between[1])}" if between else ""] if intervals else []
        rows.append([*row, *(number(own.get(last, {}).get(name)) for own in baselines.values())])
    head = ["metric", *parts, *(["95 % interval"] if intervals else [])]
    head += [f"{baseline} ({last})" for baseline in baselines]
    return [table("Every metric on every part, and the baselines", head, rows)]


def errors(shown: Answers | None, last: str, threshold: float) -> list[Part]:
    """Where the answers are right and wrong.

    Args:
        shown: the answers of the last part.
        last: its name.
        threshold: above which a row counts as the second class.
    """
    if shown is None or not len(shown.truth):
        return []
    if not shown.classes:
        return [score_figures.regression_pictures(shown)]
    made: list[Picture] = []
    left_out = []
    if shown.task.one_class:
        if len(shown.classes) <= MOST_CLASSES:
            made.append(score_figures.confusion_matrix(confusion(shown, threshold), shown.classes, last))
        else:
            left_out.append(note(f"{len(shown.classes)} classes are too many for a picture of their confusion."))
    made += score_figures.roc_and_precision_recall(shown)
    several = len(shown.classes) > score_figures.MOST_LINES
    if several and len(made) > 1:
        left_out.append(note(f"The curves are those of the {score_figures.MOST_LINES} most frequent ones."))
    return [made, *left_out, _per_class(shown, last, threshold)]


def _per_class(shown: Answers, last: str, threshold: float) -> Html:
    kind = shown.task.answer
    rows = [
        [each["name"], f"{each['rows']:,}", *(number(each[key]) for key in ("precision", "recall", "f1", "auc"))]
        for each in per_class(shown, threshold)
    ]
    head = [kind, "rows", "precision", "recall", "F1", "area under ROC"]
    return table(f"Each {kind} on the {last} part", head, rows)


def calibration_and_threshold(answers: Mapping[str, Answers], last: str, threshold: float) -> list[Part]:
    """How far probabilities hold, and what other thresholds would be worth.

    Args:
        answers: of each part.
        last: the part that is looked at.
        threshold: the one in use.
    """
    shown = answers.get(last)
    if shown is None or not shown.classes or not len(shown.truth):
        return []
    made = [score_figures.reliability(calibration(shown), last)]
    validation = answers.get("validation")
    if not shown.task.two_classes or validation is None:
        return [made]
    found = thresholds(validation)
    best, balanced = found.best("f1"), found.best("balanced_accuracy")
    made.append(score_figures.threshold_curves(found, best))
    measures = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
    named = (("in use", threshold), ("greatest F1", best), ("greatest balanced accuracy", balanced))
    rows = []
    for name, value in named:
        for part in dict.fromkeys(("validation", last)):
            at = thresholds(answers[part]).at(value)
            rows.append([name, part, f"{value:.2f}", *(number(at[measure]) for measure in measures)])
    words = (
        f"Above the threshold a row counts as {shown.classes[1]}. Thresholds are chosen on the validation part; "
        "the test rows only show what they are worth. The model in model.keras keeps the one in use."
    )
    return [made, table("Thresholds", [*THRESHOLD_HEAD], rows, words=2), note(words)]
