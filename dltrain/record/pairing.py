"""Compares two runs by the tests that are valid on the rows, folds or seeds that they share."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from dltrain.base.errors import ConfigError
from dltrain.record.listing import main_metric
from dltrain.record.record import Record
from dltrain.scoring import significance
from dltrain.scoring.significance import Test

FEWEST_ROWS = 10  # a test on fewer rows says nothing

Kind = Literal["classes", "labels", "numbers"]
METRICS: dict[Kind, str] = {"classes": "accuracy", "labels": "accuracy of the labels", "numbers": "rmse"}


@dataclass(frozen=True)
class PairedTest:
    """A test of the second run against the first on one metric; `on` names the rows, folds or seeds in words."""

    metric: str
    on: str
    test: Test
    more: bool = False  # whether another test answers the same question, and this one is told on request alone


@dataclass
class Comparison:
    """The findings of one test for each question that two runs allow, and the reasons why others are not."""

    findings: list[PairedTest] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Scored:
    """Targets and predictions of one part, and the weights of its rows if they have any, by row id."""

    kind: Kind
    rows: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    weights: dict[str, float] = field(default_factory=dict)


def compare(first: Record, second: Record, *, every_test: bool = False) -> Comparison:
    """Applies one test for each kind of pairs that the two runs share; with `every_test` the other valid ones too."""
    comparison = Comparison()
    for gather in (_rows, _folds, _seeds):
        try:
            comparison.findings += [found for found in gather(first, second) if every_test or not found.more]
        except ValueError as reason:
            comparison.reasons.append(str(reason))
    return comparison


def scored(record: Record, part: str) -> Scored | None:
    """Reads the rows of a part from predictions.csv; None if there are none. A damaged file raises a ValueError."""
    file = record.path / "predictions.csv"
    if not file.exists():
        return None
    with file.open(newline="", encoding="utf-8") as lines:
        reader = csv.reader(lines)
        header = next(reader, [])
        targets = [place for place, name in enumerate(header) if name == "target" or name.startswith("target_")]
        answers = [place for place, name in enumerate(header) if name == "prediction" or name.startswith("prediction_")]
        if header[:2] != ["row_id", "part"] or not targets or len(targets) != len(answers):
            raise ValueError(f"'{file}' does not have the columns of a run's predictions")
        rows, weights = {}, {}
        for row in reader:
            if len(row) == len(header) and row[1] == part:
                rows[row[0]] = tuple(row[place] for place in targets), tuple(row[place] for place in answers)
                if header[-1] == "weight":
                    weights[row[0]] = float(row[-1])
    classes = any(name.startswith("probability_") for name in header)
    kind: Kind = "labels" if "target" not in header else "classes" if classes else "numbers"
    return Scored(kind, rows, weights) if rows else None


def _rows(first: Record, second: Record) -> Iterator[PairedTest]:
    part, one, two = _common_part(first, second)
    if one.kind != two.kind:
        raise ValueError("The rows cannot be paired: one run predicts classes, the other does not.")
    common = [row for row in one.rows if row in two.rows]
    if len(common) < FEWEST_ROWS:
        raise ValueError(
            f"The rows cannot be paired: the {part} parts have {len(common)} rows in common, a test needs "
            f"{FEWEST_ROWS}. Runs with the same seed and split score the same rows."
        )
    if any(one.rows[row][0] != two.rows[row][0] for row in common):
        raise ValueError(
            "The rows cannot be paired: the same row ids have other targets, so the data are not the same."
        )
    weights = [one.weights.get(row, 1.0) for row in common]
    if weights != [two.weights.get(row, 1.0) for row in common]:
        raise ValueError(
            "The rows cannot be paired: the two runs give them different weights (dataset.weight), so that their "
            "scores are means of different quantities."
        )
    weighted = bool(one.weights or two.weights)
    on = f"{len(common):,} common {part} rows{', weighted as in the runs' if weighted else ''}"
    metric = METRICS[one.kind]
    if one.kind == "numbers":
        errors = [[_squared_error(*each.rows[row]) for row in common] for each in (one, two)]
        yield PairedTest(metric, on, significance.paired_bootstrap(*errors, root=True, weights=weights))
        return
    right = [[_share_right(*each.rows[row]) for row in common] for each in (one, two)]
    # Of one class a row McNemar's test is exact; the bootstrap's p value falls a little below it for few rows. The test
    # counts rows, so that it does not hold for rows with weights.
    counts = one.kind == "classes" and not weighted
    if counts:
        yield PairedTest(metric, on, significance.mcnemar(*([share == 1 for share in each] for each in right)))
    yield PairedTest(metric, on, significance.paired_bootstrap(*right, weights=weights), more=counts)


def _common_part(first: Record, second: Record) -> tuple[str, Scored, Scored]:
    for part in ("test", "validation"):
        one, two = scored(first, part), scored(second, part)
        if one and two:
            return part, one, two
    raise ValueError("The rows cannot be paired: a run has no predictions.csv, or they scored different parts.")


def _share_right(target: tuple[str, ...], answer: tuple[str, ...]) -> float:
    return sum(one == two for one, two in zip(target, answer, strict=True)) / len(target)


def _squared_error(target: tuple[str, ...], answer: tuple[str, ...]) -> float:
    return sum((float(one) - float(two)) ** 2 for one, two in zip(target, answer, strict=True)) / len(target)


def _folds(first: Record, second: Record) -> Iterator[PairedTest]:
    """Tests the metrics of the folds in cv/summary.json, corrected by `rows` and `train_rows` where folds have them."""
    one, two = _scored_folds(first), _scored_folds(second)
    if one is None and two is None:
        return
    if one is None or two is None or len(one) != len(two) or len(one) < 2:
        raise ValueError("The folds cannot be paired: both runs must have the same number of folds, at least two.")
    differing = [name for name in ("sha256", "rows") if _data(first).get(name) != _data(second).get(name)]
    differing += [
        key
        for key in sorted({*first.settings, *second.settings})
        if (key in ("seed", "rows") or key.partition(".")[0] in ("cv", "split"))
        and first.settings.get(key) != second.settings.get(key)
    ]
    if differing:
        raise ValueError(f"The folds cannot be paired: they hold other rows, since the runs differ in {differing[0]}.")
    metric = main_metric(one[0])
    if metric is None or not all(isinstance(fold.get(metric), (int, float)) for fold in (*one, *two)):
        raise ValueError("The folds cannot be paired: not every fold has the same metric.")
    scores = ([float(fold[metric]) for fold in one], [float(fold[metric]) for fold in two])
    sizes = [fold["rows"] / fold["train_rows"] for fold in one if fold.get("rows") and fold.get("train_rows")]
    ratio = sum(sizes) / len(sizes) if sizes else 1 / (_folds_a_repeat(first, len(one)) - 1)
    yield PairedTest(metric, f"{len(one)} common folds", significance.corrected_t(scores[0], scores[1], ratio))


def _folds_a_repeat(record: Record, folds: int) -> int:
    named = record.settings.get("cv.folds")
    return named if isinstance(named, int) and 1 < named <= folds else folds


def _scored_folds(record: Record) -> list[dict[str, Any]] | None:
    try:
        return None if record.folds is None else list(record.repeats("test", "validation")["folds"].values())
    except ConfigError:
        return []


def _seeds(first: Record, second: Record) -> Iterator[PairedTest]:
    """Tests the metrics of the seeds in metrics.json: a list of `{"seed": …, metric: value}`, or with parts between."""
    one, two = (record.repeats("test", "validation")["seeds"] for record in (first, second))
    if not one and not two:
        return
    common = [seed for seed in one if seed in two]
    if len(common) < 2:
        raise ValueError(f"The seeds cannot be paired: the runs have {len(common)} in common.")
    metric = main_metric(one[common[0]])
    if metric is None or not all(
        isinstance(each[seed].get(metric), (int, float)) for each in (one, two) for seed in common
    ):
        raise ValueError("The seeds cannot be paired: not every one has the same metric.")
    scores = [[float(each[seed][metric]) for seed in common] for each in (one, two)]
    yield PairedTest(metric, f"{len(common)} common seeds", significance.wilcoxon(*scores))


def _data(record: Record) -> dict[str, Any]:
    data = record.facts.get("data")
    return data if isinstance(data, dict) else {}
