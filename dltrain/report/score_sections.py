"""Makes tables and pictures of scores for a report; a table is the names of its columns and its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dltrain.base.plain_table import number
from dltrain.report import score_figures
from dltrain.report.answers import Answers, calibration, confusion, thresholds
from dltrain.report.svg import Picture

Table = tuple[list[str], list[list[Any]]]

MOST_CLASSES = 40  # in the confusion matrix


def member_table(members: Sequence[Mapping[str, Any]]) -> Table:
    """Returns the members of an ensemble with their weights, the greatest first, and the words of each."""
    shared = {word for word in members[0]["overrides"] if all(word in each["overrides"] for each in members)}
    rows = []
    for each in sorted(members, key=lambda each: -each["weight"]):
        own = [word for word in each["overrides"] if len(members) == 1 or word not in shared]
        rows.append([each["job"], f"{each['weight']:.3f}", " ".join(own)])
    return ["job", "weight", "settings"], rows


def score_table(metrics: Mapping[str, Any], parts: Sequence[str]) -> Table:
    """Returns every metric on every scored part, the interval of the last part, and the baselines."""
    last = parts[-1]
    intervals, baselines = metrics.get("intervals", {}).get(last, {}), metrics.get("baselines", {})
    rows = []
    for name in metrics[last]:
        between = intervals.get(name)
        row = [name, *(number(metrics[part].get(name)) for part in parts)]
        row += [f"{number(between[0])} to {number(between[1])}" if between else ""] if intervals else []
        rows.append([*row, *(number(own.get(last, {}).get(name)) for own in baselines.values())])
    head = ["metric", *parts, *(["95 % interval"] if intervals else [])]
    return [*head, *(f"{baseline} ({last})" for baseline in baselines)], rows


def errors(shown: Answers | None, last: str, threshold: float) -> tuple[list[Picture], list[str]]:
    """Draws where predictions are right and wrong, and says in sentences what the pictures leave out.

    `shown` holds the predictions of the part `last`, or is None. A probability above `threshold` predicts the second
    class.
    """
    if shown is None:
        return [], []
    if not shown.classes:
        return score_figures.regression_pictures(shown), []
    made: list[Picture] = []
    left_out = []
    if shown.task.one_class:
        if len(shown.classes) <= MOST_CLASSES:
            weighted = shown.weights is not None
            counts = confusion(shown, threshold)
            made.append(score_figures.confusion_matrix(counts, shown.classes, last, weighted=weighted))
        else:
            left_out.append(f"{len(shown.classes)} classes are too many for a picture of their confusion.")
    made += score_figures.roc_and_precision_recall(shown)
    views = score_figures.binary_views(shown)
    drawn = len(score_figures.few_enough(views))
    if drawn < len(views):
        which = f"Only the {drawn} most frequent ones have one." if drawn else "None of them has one."
        left_out.append(f"{len(views)} curves are too many for a picture. {which}")
    return made, left_out


def worst_rows(insights: Mapping[str, Any], *, quantity: bool) -> dict[str, Any]:
    """Returns from insights.json the `mistakes`, the `near_misses`, and in `said` a sentence on their number.

    Each row of a quantity is a mistake, of which no number is told. Earlier versions listed the rows with the greatest
    loss, right or wrong.
    """
    listed = insights.get("mistakes", [])
    mistakes = [row for row in listed if quantity or row["prediction"] != row["target"]]
    near = insights.get("near_misses", [row for row in listed if row not in mistakes])
    said = ""
    if "wrong" in insights and not quantity:
        wrong, rows = insights["wrong"], f"{insights['answered']:,} validation rows"
        if insights["answered"] < insights["rows"]:
            rows += f", drawn from {insights['rows']:,},"
        said = f"{wrong:,} of {rows} are predicted wrongly." if wrong else f"None of {rows} is predicted wrongly."
    return {"mistakes": mistakes, "near_misses": near, "said": said}


def calibration_and_threshold(
    shown: Answers | None, validation: Answers | None, last: str, threshold: float
) -> tuple[list[Picture], list[list[str]]]:
    """Draws how far probabilities hold, and returns the scores of some thresholds, a row for each and each part.

    `shown` holds the predictions of the part `last`, or is None; `threshold` is the one in use.
    """
    if shown is None or not shown.classes:
        return [], []
    made = [score_figures.reliability(calibration(shown), last, weighted=shown.weights is not None)]
    if not shown.task.two_classes or validation is None:
        return made, []
    found = thresholds(validation)
    best, balanced = found.best("f1"), found.best("balanced_accuracy")
    made.append(score_figures.threshold_curves(found, best))
    measures = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
    named = (("in use", threshold), ("greatest F1", best), ("greatest balanced accuracy", balanced))
    rows = []
    for name, value in named:
        for part, answers in {"validation": validation, last: shown}.items():
            at = thresholds(answers).at(value)
            rows.append([name, part, f"{value:.2f}", *(number(at[measure]) for measure in measures)])
    return made, rows
