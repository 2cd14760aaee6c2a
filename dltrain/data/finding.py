"""What the data checks work on and what they give."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dltrain.data.dataset import Dataset
from dltrain.data.targets import Target

SAMPLE = 2_000  # rows that a check learns from at most
LISTED = 100  # rows that a finding names at most
SHOWN = 5

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know.

    Attributes:
        check: what was looked for.
        severity: warning, or note for what may well be meant so.
        sentence: what was found, and what to do.
        columns: where.
        rows: ids of the rows, a hundred at most.
    """

    check: str
    severity: str
    sentence: str
    columns: tuple[str, ...] = ()
    rows: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Parts:
    """What the checks may look at.

    Attributes:
        raw: the rows of train, validation (where there is such a part) and test; those of test without a target.
        target: of the train rows.
        weighted: whether classes are weighted.
        seed: of samples and folds.
    """

    raw: Mapping[str, Dataset]
    target: Target
    weighted: bool
    seed: int

    @property
    def train(self) -> Dataset:
        """The train rows."""
        return self.raw["train"]

    @property
    def unseen(self) -> list[str]:
        """The parts that the model is not fitted on."""
        return [part for part in self.raw if part != "train"]

    def named(self, kind: str) -> list[str]:
        """The columns of a kind."""
        return [name for name, other in self.train.kinds.items() if other == kind]

    def sample(self, part: str, most: int = SAMPLE) -> npt.NDArray[np.intp]:
        """Positions of at most so many rows of a part, in order; the same for the same seed."""
        rows = len(self.raw[part])
        if rows <= most:
            return np.arange(rows)
        return np.sort(np.random.default_rng([self.seed, rows]).choice(rows, most, replace=False))

    @functools.cached_property
    def levels(self) -> dict[str, pd.Index[Any]]:
        """The values of each category among the train rows, sorted."""
        return {name: pd.Index(self.train.columns[name]).unique().sort_values() for name in self.named("category")}

    def numbers(self, part: str, rows: npt.NDArray[np.intp]) -> tuple[Matrix, list[str]]:
        """Numbers, categories as the places of their words, and the brightness of images: (rows, columns), and names.

        A missing number lies below all others, an unseen category is -1.
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
                pixels = cells.reshape(len(cells), -1).astype(np.float32)
                columns += [pixels.mean(axis=1).astype(np.float64), pixels.std(axis=1).astype(np.float64)]
                names.append(f"{name} (brightness)")
                name = f"{name} (contrast)"
            else:
                continue
            names.append(name)
        return (np.column_stack(columns) if columns else np.zeros((len(rows), 0))), names


def folds(target: npt.NDArray[Any], count: int, seed: int) -> npt.NDArray[np.intp]:
    """A fold number for each row, shape (rows,), every class or range of values in its share."""
    order = np.lexsort((np.random.default_rng(seed).random(len(target)), target))
    numbers = np.empty(len(target), np.intp)
    numbers[order] = np.arange(len(target)) % count
    return numbers


def named_rows(ids: npt.NDArray[Any]) -> tuple[tuple[Any, ...], str]:
    """Row ids for a finding, and the first of them in words."""
    plain = tuple(row.item() if isinstance(row, np.generic) else row for row in ids[:LISTED])
    more = ", …" if len(ids) > SHOWN else ""
    return plain, f"{', '.join(map(str, plain[:SHOWN]))}{more}"
