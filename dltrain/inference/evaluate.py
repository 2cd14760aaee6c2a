"""Scores a finished model on rows with their target: every metric with its interval, also for each group."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from dltrain.base.errors import DataError, did_you_mean
from dltrain.config.seed import Seed
from dltrain.data.answers import THRESHOLD
from dltrain.data.column_reading import ColumnReading, composed
from dltrain.data.conformal import Conformal
from dltrain.data.missing_cells import NAMES
from dltrain.data.targets import Target
from dltrain.data.task_row import task_row
from dltrain.inference.overlap import row_hashes, train_hashes
from dltrain.inference.row_inputs import RowInputs, numbers, plain_name, spell, spelled
from dltrain.inference.rows import RawRows, sliced
from dltrain.models.network import build_loss, build_metrics
from dltrain.record.run_directory import add_test_scoring
from dltrain.record.signature import Signature
from dltrain.scoring.comparison import LEAST_ROWS
from dltrain.scoring.coverage import coverage
from dltrain.scoring.evaluation import intervals, score, without_interval

MOST_GROUPS = 20
QUARTERS_ABOVE = 12  # a numeric column with more values than this is grouped by quarters
LABELS = {"0": 0.0, "1": 1.0, "False": 0.0, "True": 1.0}

Score = dict[str, float | None]


@dataclass(frozen=True)
class Evaluation:
    """The result of scoring a finished model."""

    rows: int
    # For each metric its `value`, and `low` and `high` of its 95 % interval (None if it has none)
    metrics: dict[str, Score]
    groups: dict[str, dict[str, Any]]  # the number of `rows` and the same metrics for each group of the column `by`
    by: str | None
    notes: tuple[str, ...]
    overlap: int | None  # the number of rows whose content equals a train row of the run, or None if that is not known

    def as_json(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        found = {"rows": self.rows, "rows_of_train": self.overlap, "metrics": self.metrics, "notes": list(self.notes)}
        return found | ({"by": self.by, "groups": self.groups} if self.by else {})

    def as_table(self) -> list[dict[str, Any]]:
        """Returns a row for each group and metric; all rows together come first, with an empty group."""
        groups = {"": {"rows": self.rows, "metrics": self.metrics}, **self.groups}
        return [
            {"group": name, "rows": group["rows"], "metric": metric, **found}
            for name, group in groups.items()
            for metric, found in group["metrics"].items()
        ]


def evaluate_rows(model: Any, blocks: Iterable[RawRows], by: str | None, data: str = "a data frame") -> Evaluation:
    """Scores an `inference.model.Model` on rows with their target and records that in its run.

    `by` is a column whose groups are scored separately as well; `data` names the rows in the record.

    Raises:
        DataError: If the target or `by` is missing, a class is unknown to the model, or no row has a target.
    """
    signature: Signature = model.signature
    row_inputs = RowInputs(signature)
    answers, values, weights, hashes, groups, missing = [], [], [], [], [], 0
    for whole in blocks:
        for block in sliced(whole, model.rows_at_once):
            inputs = row_inputs.inputs(block)
            encoded, present = encode_target(signature, block)
            present &= ~row_inputs.unreadable
            missing += int(np.sum(~present & ~row_inputs.unreadable))
            answers.append(model.answer(inputs)[present])
            values.append(encoded[present])
            if (own := _weights(signature, block)) is not None:
                weights.append(own[present])
            hashes.append(row_hashes(inputs)[present])
            if by is not None:
                groups += [
                    cell for cell, has in zip(_cells(block, by, "--by").to_pylist(), present, strict=True) if has
                ]
    joined = np.concatenate(answers) if answers else np.empty((0, 1), np.float32)
    if not len(joined):
        raise DataError(f"No row of {data} has a value of the target {', '.join(signature.target)}.")
    target = Target(
        signature.task,
        np.concatenate(values),
        signature.classes,
        offset=signature.offset,
        scale=signature.scale,
        weights=np.concatenate(weights) if weights else None,
        quantiles=signature.quantiles,
        knots=signature.knots,
    )
    contents = np.concatenate(hashes)
    known, reason = train_hashes(model.record)
    overlap = None if known is None else int(np.isin(contents, known).sum())
    config = model.record.config
    task = task_row(config.task, signature.task)
    chosen = None if signature.threshold == THRESHOLD else signature.threshold
    fresh, loss = build_metrics(task, target, chosen), build_loss(task, target)
    conformal = Conformal.of_json(signature.conformal)

    def scored(rows: npt.NDArray[np.intp]) -> dict[str, Score]:
        part, given = target.take(rows), joined[rows]
        found = {"loss": _loss(loss, part, given), **score(fresh, part, given)}
        values: dict[str, Score] = {name: {"value": None if np.isnan(each) else each} for name, each in found.items()}
        around = intervals(fresh, loss, part, given, Seed.of(config).stream("intervals"))
        for name, value in values.items():
            value["low"], value["high"] = around.get(name, (None, None))
        if conformal is not None:
            share = coverage(conformal, part, given)
            low, high = share["interval"]
            values["conformal_coverage"] = {"value": share["coverage"], "low": low, "high": high}
        return values

    notes = [note for note in row_inputs.notes() if not note.startswith("ignored")]
    if missing:
        notes.append(f"{missing} rows without a target are left out.")
    if overlap:
        notes.append(
            f"{overlap} of {len(joined)} rows have the content of a train row of this run, which can make the metrics "
            "look better than they are."
        )
    notes += [f"No interval of {name}: {reason}." for name, reason in without_interval(fresh, target).items()]
    if known is None:
        notes.append(f"Whether these rows are among the train rows is not known: {reason}")
    grouped = group_rows(groups, notes, by)
    few = Counter(name for rows in grouped.values() for name in without_interval(fresh, target.take(rows)))
    notes += [
        f"No interval of {name} in {count} of {len(grouped)} groups: their rarer class has fewer than the "
        f"{LEAST_ROWS} rows that one needs."
        for name, count in few.items()
    ]
    evaluation = Evaluation(
        rows=len(joined),
        metrics=scored(np.arange(len(joined))),
        groups={name: {"rows": len(rows), "metrics": scored(rows)} for name, rows in grouped.items()},
        by=by,
        notes=tuple(notes),
        overlap=overlap,
    )
    digest = hashlib.sha256(contents.tobytes() + np.ascontiguousarray(target.values).tobytes()).hexdigest()
    add_test_scoring(model.record.path, rows=len(joined), data=data, sha256=digest, rows_of_train=overlap)
    return evaluation


def encode_target(signature: Signature, block: RawRows) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Encodes the target of a block, (n,) or (n, labels), and marks the rows that have one, (n,).

    Raises:
        DataError: If the target is missing, or a value of it is unknown to the model.
    """
    columns, present = [], np.ones(len(block), dtype=bool)
    choices = LABELS if signature.kind.labels else {name: float(n) for n, name in enumerate(signature.classes)}
    for name in signature.target:
        cells = _cells(block, name, "the target")
        if not signature.kind.quantity:
            words = _classes(cells, choices, signature.target_readings.get(name))
            bad = [row for row, word in enumerate(words) if word and word not in choices]
            if bad:
                raise DataError(
                    f"{block.where(bad[0])}: the target '{name}' is '{words[bad[0]]}', which the model does not know."
                    f"{did_you_mean(str(words[bad[0]]), choices)}"
                )
            column = np.array([choices.get(word or "", np.nan) for word in words])
        else:
            column = numbers(cells, name, block, signature.target_readings.get(name))
        present &= ~np.isnan(column)
        columns.append(np.nan_to_num(column))
    if signature.kind.labels:
        return np.column_stack(columns).astype(np.float32), present
    return columns[0].astype(np.int32 if signature.kind.several_classes else np.float32), present


def _classes(cells: Any, choices: Mapping[str, float], reading: ColumnReading | None) -> list[str | None]:
    """Spells cells of a target like its classes, None for a missing one, as are words such as NA that are no class."""
    unicode = {composed(pa.array([name]))[0].as_py(): name for name in choices}
    words = [unicode.get(word, word) for word in spelled(cells, set(choices), reading)]
    return [None if not word or (word in NAMES and word not in choices) else word for word in words]


def _cells(block: RawRows, name: str, what: str) -> Any:
    found = (
        name
        if name in block.columns
        else next((each for each in block.columns if plain_name(each) == plain_name(name)), None)
    )
    if found is None:
        raise DataError(f"{block.origin} has no column '{name}' ({what}).{did_you_mean(name, block.columns)}")
    return block.columns[found]


def _loss(loss: Any, target: Target, answers: npt.NDArray[np.float32]) -> float:
    found = np.asarray(loss.call(target.column, answers), np.float64)
    return (
        float(np.mean(found)) if target.weights is None else target.mean(found.reshape(len(answers), -1).mean(axis=1))
    )


def _weights(signature: Signature, block: RawRows) -> npt.NDArray[np.float64] | None:
    """Returns how much each row of a block counts, shape (n,), or None if the run weighs none.

    Raises:
        DataError: If a cell holds no number above 0.
    """
    if signature.weight is None:
        return None
    weights = numbers(_cells(block, signature.weight, "the weight of each row"), signature.weight, block)
    bad = np.flatnonzero(~(weights > 0))
    if len(bad):
        raise DataError(
            f"{block.where(bad[0])}, column '{signature.weight}': expected a number above 0 as the row's weight, came "
            f"{weights[bad[0]]:g}."
        )
    return weights


def group_rows(cells: list[Any], notes: list[str], by: str | None) -> dict[str, npt.NDArray[np.intp]]:
    """Returns positions of the rows of each group, the largest group first; many different numbers form quarters."""
    if by is None:
        return {}
    words = pd.Series([spell(cell, set()) or "(missing)" for cell in cells], dtype=object)
    as_numbers = pd.to_numeric(words, errors="coerce")
    if as_numbers.nunique() > QUARTERS_ABOVE and bool((as_numbers.notna() | (words == "(missing)")).all()):
        quarters = pd.qcut(as_numbers, 4, duplicates="drop")
        # With all digits, since quarters of days such as 20230401 differ in the last ones alone.
        named = {each: f"above {each.left:.15g}, up to {each.right:.15g}" for each in quarters.cat.categories}
        words = quarters.astype(object).map(named).fillna("(missing)")
        notes.append(f"{by} has {as_numbers.nunique()} different numbers: its groups are quarters of the rows.")
    counts = words.value_counts()
    if len(counts) > MOST_GROUPS:
        words = words.where(words.isin(counts.index[: MOST_GROUPS - 1]), "(other values)")
        notes.append(f"{by} has {len(counts)} values: the {MOST_GROUPS - 1} most frequent ones stand alone.")
        counts = words.value_counts()
    return {str(name): np.flatnonzero(words == name) for name in counts.index}
