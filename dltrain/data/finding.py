"""Defines what the data checks read and what they return."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dltrain.data.dataset import Dataset
from dltrain.data.targets import Target

LISTED = 100  # rows that a finding lists at most
SHOWN = 5

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """A finding of one check, with at most 100 ids of rows.

    `severity` is `warning`, `hint` (what a person should hear of but may intend), or `note` (for the record alone).
    """

    check: str
    severity: str
    sentence: str
    columns: tuple[str, ...] = ()
    rows: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Parts:
    """The data that the checks may read: the raw rows of each part, those of test without a target.

    `target` is that of the train rows.
    """

    raw: Mapping[str, Dataset]
    target: Target
    weighted: bool
    seed: int
    in_time: bool = False  # whether the rows were split by time, so that the parts differ as time goes by

    @property
    def train(self) -> Dataset:
        """The train rows."""
        return self.raw["train"]

    @property
    def unseen(self) -> list[str]:
        """The names of all parts but train."""
        return [part for part in self.raw if part != "train"]

    def named(self, kind: str) -> list[str]:
        """Returns the names of the columns of a kind."""
        return [name for name, other in self.train.kinds.items() if other == kind]

    def sample(self, part: str, most: int) -> npt.NDArray[np.intp]:
        """Returns sorted positions of at most `most` rows of a part; the same for the same seed."""
        rows = len(self.raw[part])
        if rows <= most:
            return np.arange(rows)
        return np.sort(np.random.default_rng([self.seed, rows]).choice(rows, most, replace=False))

    @functools.cached_property
    def levels(self) -> dict[str, pd.Index[Any]]:
        """The sorted values of each category column among the train rows."""
        return {name: pd.Index(self.train.columns[name]).unique().sort_values() for name in self.named("category")}

    def numbers(self, part: str, rows: npt.NDArray[np.intp]) -> tuple[Matrix, list[str]]:
        """Returns a numeric matrix (rows, columns) and the names of its columns.

        Categories become the positions of their values, -1 if unseen in train; images become mean and deviation of
        their brightness; a missing number lies below all others.
        """
        columns: list[Matrix] = []
        names: list[str] = []
        dataset = self.raw[part].take(rows)
        for name, kind in dataset.kinds.items():
            cells = dataset.columns[name]
            if kind == "numeric":
                columns.append(np.clip(np.nan_to_num(cells.astype(np.float64), nan=-1e37), -1e37, 1e37))
            elif kind == "category":
                columns.append(self.levels[name].get_indexer(pd.Index(cells)).astype(np.float64))
            elif kind == "image":
                pixels = cells.reshape(len(cells), math.prod(cells.shape[1:])).astype(np.float32)
                columns += [pixels.mean(axis=1).astype(np.float64), pixels.std(axis=1).astype(np.float64)]
                names.append(f"{name} (brightness)")
                name = f"{name} (contrast)"
            else:
                continue
            names.append(name)
        return (np.column_stack(columns) if columns else np.zeros((len(rows), 0))), names


def folds(target: npt.NDArray[Any], seed: int) -> list[npt.NDArray[np.bool_]]:
    """Returns which rows, shape (rows,), each of three folds holds out, stratified by class or by range of values."""
    order = np.lexsort((np.random.default_rng(seed).random(len(target)), target))
    numbers = np.empty(len(target), np.intp)
    numbers[order] = np.arange(len(target)) % 3
    return [numbers == fold for fold in range(3)]


def named_rows(ids: npt.NDArray[Any]) -> tuple[tuple[Any, ...], str]:
    """Returns at most 100 row ids for a finding, and the first of them as text."""
    plain = tuple(row.item() if isinstance(row, np.generic) else row for row in ids[:LISTED])
    more = ", …" if len(ids) > SHOWN else ""
    return plain, f"{', '.join(map(str, plain[:SHOWN]))}{more}"
