"""Checks raw data before training: leaks between parts, and columns and labels that mislead.

The checks read the train and validation rows, and only the features of the test rows. Each has a threshold that chance
does not reach, and samples large data, so that all of them take some tenths of a second at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from dltrain.base.errors import DataError
from dltrain.data import check_columns, check_labels, check_order, check_parts
from dltrain.data.dataset import Dataset
from dltrain.data.finding import Finding, Parts
from dltrain.data.split import Split
from dltrain.data.targets import Target

CHECKS: tuple[Callable[[Parts], Iterator[Finding]], ...] = (
    check_parts.shared_rows,
    check_parts.drift,
    check_parts.unseen_categories,
    check_columns.leaks,
    check_columns.useless,
    check_order.dates_at_random,
    check_order.entities_at_random,
    check_labels.imbalance,
    check_labels.few_rows,
    check_labels.outliers,
    check_labels.noise,
)

# Jobs of a sweep mostly look at the same rows, so findings are kept by the hash of the content.
MOST_KEPT = 4
_found: dict[str, list[Finding]] = {}


def check_data(
    dataset: Dataset, target: Target, split: Split, *, weighted: bool, seed: int, in_time: bool = False
) -> list[Finding]:
    """Runs all checks and returns their findings, warnings first.

    The target of the test part is not looked at. `weighted` says that classes are weighted, which makes their imbalance
    no finding; `seed` draws samples and folds; `in_time` tells whether the rows were split by time.
    """
    key = _content_hash(dataset, target, split, weighted, seed, in_time)
    if key not in _found:
        while len(_found) >= MOST_KEPT:
            del _found[next(iter(_found))]
        _found[key] = _run_checks(dataset, target, split, weighted=weighted, seed=seed, in_time=in_time)
    return list(_found[key])


def _run_checks(
    dataset: Dataset, target: Target, split: Split, *, weighted: bool, seed: int, in_time: bool
) -> list[Finding]:
    raw = {part: dataset.take(rows) for part, rows in split.parts().items() if len(rows)}
    if "test" in raw:
        raw["test"] = replace(raw["test"], target={})
    parts = Parts(raw, target.take(split.train), weighted, seed, in_time)
    with np.errstate(all="ignore"):  # overflow in a statistic is no finding
        found = [finding for check in CHECKS for finding in check(parts)]
    return sorted(found, key=lambda finding: finding.severity != "warning")


def _content_hash(dataset: Dataset, target: Target, split: Split, *settings: object) -> str:
    """Hashes all that the checks look at."""
    words = (dataset.name, dataset.kinds, dataset.sha256(), target.task, target.classes, *settings)
    digest = hashlib.sha256(repr(words).encode())
    for values in (target.values, *split.parts().values()):
        digest.update(f"{values.shape} {values.dtype}".encode() + np.ascontiguousarray(values).tobytes())
    for name in dataset.other_columns:
        digest.update(repr(dataset.other_columns[name].tolist()).encode())
    ids = dataset.row_ids
    digest.update(np.ascontiguousarray(ids).data if ids.dtype != object else repr(ids.tolist()).encode())
    return digest.hexdigest()


def refuse(found: list[Finding]) -> None:
    """Raises one DataError with all warnings, if there are any."""
    if faults := [f"{finding.check}: {finding.sentence}" for finding in found if finding.severity == "warning"]:
        raise DataError(faults)


def as_json(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """Returns the entry `checks` of run.json."""
    return [asdict(finding) for finding in found]
