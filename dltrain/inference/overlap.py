"""Finds scored rows that are train rows by their content, since their ids may differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dltrain.base.errors import DltrainError
from dltrain.config.build import build
from dltrain.data.dataset import Dataset
from dltrain.data.split_columns import without_groups
from dltrain.data.targets import without_missing
from dltrain.preprocessing.fit import raw_blocks
from dltrain.record.record import Record

Hashes = npt.NDArray[np.uint64]


def row_hashes(inputs: dict[str, Any]) -> Hashes:
    """Hashes the content of n rows, given as the model's inputs, shape (n,)."""
    columns = {name: _flat(np.asarray(cells)) for name, cells in sorted(inputs.items())}
    hashes: Hashes = np.asarray(pd.util.hash_pandas_object(pd.DataFrame(columns), index=False), dtype=np.uint64)
    return hashes


def run_dataset(record: Record) -> tuple[Dataset, dict[str, npt.NDArray[np.intp]]]:
    """Loads the dataset of a run again, and returns it with the positions of its parts.

    Raises:
        DltrainError: If it cannot be loaded, or has changed since.
    """
    dataset: Dataset
    config = record.config
    dataset, _ = without_missing(build(config.dataset, key="dataset"))
    dataset, _ = without_groups(config.split, config.get("cv"), dataset)
    ids = record.json("splits.json")
    place = {str(row): number for number, row in enumerate(dataset.row_ids)}
    if any(str(row) not in place for rows in ids.values() for row in rows):
        raise DltrainError(f"The rows of dataset {dataset.name} are others than those of the run.")
    parts = {part: np.array([place[str(row)] for row in rows], dtype=np.intp) for part, rows in ids.items()}
    used = np.sort(np.concatenate(list(parts.values())))
    if dataset.take(used).sha256() != record.facts["data"]["sha256"]:
        raise DltrainError(f"The data of dataset {dataset.name} has changed since the run.")
    return dataset.decided(parts["train"]), parts


def train_hashes(record: Record) -> tuple[Hashes | None, str]:
    """Returns the hashes of a run's train rows, or None and the reason."""
    try:
        dataset, parts = run_dataset(record)
    except Exception as error:  # a person's own loader may raise anything
        return None, str(error) or type(error).__name__
    blocks = raw_blocks(dataset, parts["train"])
    inputs = ({name: _as_tensor(cells) for name, cells in raw.items()} for raw in blocks)
    return np.concatenate([row_hashes(each) for each in inputs]), ""


def _as_tensor(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Converts words to the bytes that a tensor holds."""
    if cells.dtype != object:
        return cells
    return np.array([str(cell).encode() for cell in cells.ravel()], dtype=object).reshape(cells.shape)


def _flat(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if cells.ndim > 2:
        return np.array([row.tobytes() for row in cells], dtype=object)
    return cells[:, 0]
