"""Reads a run's predictions from predictions.csv and counts errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyarrow import ChunkedArray, Table, csv, dictionary, float64, int32, string
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from dltrain.config.tasks import Task
from dltrain.scoring.calibration import reliability

BINS = 10

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """The predictions for one part."""

    part: str
    task: Task
    classes: tuple[str, ...]  # the names of the classes or labels; empty for a quantity
    truth: npt.NDArray[Any]  # class numbers (n,), labels of 0 and 1 (n, labels), or amounts (n,)
    given: Numbers  # the probability of each class or label (n, classes), or amounts (n,)
    weights: Numbers | None = None  # how much each row counts, (n,); None if all count alike

    @property
    def chosen(self) -> npt.NDArray[np.int64]:
        """The most probable class, (n,)."""
        found: npt.NDArray[np.int64] = self.given.argmax(axis=1)
        return found

    @property
    def counts(self) -> Numbers:
        """The weight of each row, (n,), which is 1 where rows have none."""
        return np.ones(len(self.truth)) if self.weights is None else self.weights


def read_answers(path: Path, task: Task, classes: Sequence[str]) -> dict[str, Answers]:
    """Reads the predictions of a run by part; those for the folds of a cross-validation are its `validation`.

    `path` is the predictions.csv of the run or of its folds.
    """
    with csv.open_csv(path) as opened:
        names = opened.schema.names
    first = 3 if names[1] == "repeat" else 2  # the first column after the row's id, part, repeat and fold
    words = {"part"} & set(names) | ({"target"} if task.one_class else set())
    # Words are read as numbers, and only those that are needed, since a large run has ten million of each.
    needless = {"row_id", "prediction", "prediction_set"} if words - {"part"} else {"row_id"}
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(names, float64()) | dict.fromkeys(words, dictionary(int32(), string())),
        include_columns=[name for name in names if name not in needless],
        strings_can_be_null=False,
    )
    parse = csv.ParseOptions(newlines_in_values=True)
    # Read in batches, since reading all at once takes four times the memory of the result.
    with csv.open_csv(path, convert_options=convert, parse_options=parse) as opened:
        table = Table.from_batches(opened, opened.schema)

    def numbers(name: str) -> Numbers:
        return np.asarray(table.column(name).to_numpy(), np.float64)

    truth: npt.NDArray[Any]
    if task.labels:
        # Each label has three columns: target, prediction, probability.
        truth = np.column_stack([numbers(names[first + 3 * place]) for place in range(len(classes))])
        given = np.column_stack([numbers(names[first + 2 + 3 * place]) for place in range(len(classes))])
    elif task.one_class:
        # A name that a spreadsheet would take for a formula is written with an apostrophe before it.
        place = {name: number for number, name in enumerate(classes)}
        place = {f"'{name}": number for name, number in place.items()} | place
        listed, word_of = _words(table.column("target"))
        truth = np.array([place[name] for name in listed])[word_of]
        given = np.column_stack([numbers(name) for name in names[first + 2 : first + 2 + len(classes)]])
    else:
        truth, given = numbers("target"), numbers("prediction")
    parts, part_of = _words(table.column("part")) if "part" in names else (["validation"], np.zeros(len(table), int))
    weights = numbers("weight") if names[-1] == "weight" else None
    places = [_together(part_of == number) for number in range(len(parts))]
    return {
        part: Answers(part, task, tuple(classes), truth[rows], given[rows], None if weights is None else weights[rows])
        for part, rows in zip(parts, places, strict=True)
    }


def _together(rows: npt.NDArray[np.bool_]) -> Any:
    """Returns the marked rows as a slice, which copies nothing, if they are contiguous, as in most files."""
    first, last = int(rows.argmax()), len(rows) - int(rows[::-1].argmax())
    return slice(first, last) if rows[first:last].all() else rows


def _words(column: ChunkedArray) -> tuple[list[str], npt.NDArray[np.integer[Any]]]:
    """Returns the distinct words in the order of their first row, and the index of each row's word."""
    whole = column.unify_dictionaries().combine_chunks()
    return whole.dictionary.to_pylist(), whole.indices.to_numpy()


def per_class(answers: Answers, threshold: float) -> list[dict[str, Any]]:
    """Returns precision, recall, F1, number of rows and area under ROC (or NaN) of each class or label.

    All but the number are weighted as the rows are. A probability above `threshold` predicts a label, or the second of
    two classes.
    """
    truth, guess = _indicators(answers, threshold)
    found = precision_recall_fscore_support(
        truth, guess, average=None, zero_division=np.nan, sample_weight=answers.weights
    )
    rows = []
    for place, name in enumerate(answers.classes):
        own = truth[:, place]
        both = own.min() < own.max() if len(own) else False
        # 1 - p has fewer digits than a small p, and so ties that p has not: both classes have the area of the second.
        of = 1 if answers.task.two_classes else place
        rows.append(
            {
                "name": name,
                "rows": int(own.sum()),
                "precision": float(found[0][place]),
                "recall": float(found[1][place]),
                "f1": float(found[2][place]),
                "auc": float(roc_auc_score(truth[:, of], answers.given[:, of], sample_weight=answers.weights))
                if both
                else float("nan"),
            }
        )
    return rows


def _indicators(answers: Answers, threshold: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns truth and prediction as (n, classes) of 0 and 1."""
    if answers.task.labels:
        return answers.truth.astype(np.int64), (answers.given > threshold).astype(np.int64)
    chosen = (answers.given[:, 1] > threshold).astype(np.int64) if answers.task.two_classes else answers.chosen
    eye = np.eye(len(answers.classes), dtype=np.int64)
    return eye[answers.truth], eye[chosen]


def confusion(answers: Answers, threshold: float) -> npt.NDArray[np.int64]:
    """Counts rows, whatever their weight, by true class (first axis) and predicted class, (classes, classes)."""
    truth, guess = _indicators(answers, threshold)
    counts: npt.NDArray[np.int64] = truth.T @ guess
    return counts


@dataclass(frozen=True)
class Calibration:
    """How far predicted probabilities match what came true, weighted as the rows are."""

    confidence: Numbers  # the mean probability of each bin that has rows, (bins,)
    share: Numbers  # the share of these rows for which it came true, (bins,)
    rows: Numbers  # the number of rows of each bin, or the sum of their weights, (bins,)
    error: float  # the expected calibration error: the mean difference of both over the rows (Guo et al. 2017)


def calibration(answers: Answers) -> Calibration:
    """Bins the probability of the second class, of the chosen class, or of all labels together by ten equal widths."""
    return Calibration(*reliability(answers.task, answers.truth, answers.given, answers.weights))


@dataclass(frozen=True)
class Thresholds:
    """The scores of each threshold on the probability of the second class on one part.

    `values` are the ascending thresholds; precision is NaN where no row is above the threshold.
    """

    values: Numbers
    precision: Numbers
    recall: Numbers
    f1: Numbers
    accuracy: Numbers
    balanced_accuracy: Numbers

    def best(self, name: str) -> float:
        """Returns the threshold with the greatest value of a measure; of equal ones the nearest to 0.5."""
        measure: Numbers = getattr(self, name)
        equal = self.values[measure >= np.nanmax(measure) - 1e-12]
        return float(equal[np.argmin(np.abs(equal - 0.5))])

    def at(self, threshold: float) -> dict[str, float]:
        """Returns the measures at one of the thresholds."""
        place = int(np.argmin(np.abs(self.values - threshold)))
        return {
            name: float(getattr(self, name)[place])
            for name in ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
        }


def thresholds(answers: Answers) -> Thresholds:
    """Computes the measures of a binary task at the thresholds 0.01, 0.02, … 0.99, weighted as the rows are."""
    values = np.arange(1, 100) / 100
    truth = answers.truth == 1
    hits, ones = _beyond(answers.given[truth, 1], answers.counts[truth], values)
    alarms, zeros = _beyond(answers.given[~truth, 1], answers.counts[~truth], values)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = hits / (hits + alarms)
        recall = hits / ones
        f1 = 2 * hits / (hits + alarms + ones)
        refused = (zeros - alarms) / zeros
        accuracy = (hits + zeros - alarms) / (ones + zeros)
    return Thresholds(values, precision, recall, f1, accuracy, (recall + refused) / 2)


def _beyond(given: Numbers, counts: Numbers, values: Numbers) -> tuple[Numbers, np.float64]:
    """Returns the weight of the rows above each value, shape of `values`, and that of all rows."""
    order = np.argsort(given)
    up_to = np.concatenate([[0.0], np.cumsum(counts[order])])
    return up_to[-1] - up_to[np.searchsorted(given[order], values, side="right")], up_to[-1]
