"""The data of a run, ready to train on; the test part stays sealed until it is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Never

import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig

from dltrain.base.errors import ConfigError, RunError, did_you_mean
from dltrain.config.build import build
from dltrain.data.dataset import Dataset
from dltrain.data.split import Split
from dltrain.data.targets import Target
from dltrain.preprocessing.fit import ROWS_AT_ONCE, Features, Preprocessing, fit
from dltrain.preprocessing.rows import Resident, Source, Streaming
from dltrain.preprocessing.sample import Sample

GIB = 2**30


class Prepared:
    """Parts of a dataset with the preprocessing that was fitted on its train part.

    Rows are given by part alone, and those of the test part after `unseal_test`: nothing that is handed this object
    reads a test row by mistake.

    Attributes:
        dataset: what the data is, without its rows.
        target: what the target is, scaled on the train rows, without its values.
        split: positions of the rows of each part.
        preprocessing: fitted.
        resident: whether all features are held in memory.
    """

    def __init__(
        self, dataset: Dataset, target: Target, split: Split, preprocessing: Preprocessing, resident: bool
    ) -> None:
        self.dataset: Dataset = _WithoutRows.of(dataset)
        self.target: Target = replace(target, values=target.values[:0])
        self.split = split
        self.preprocessing = preprocessing
        self.resident = resident
        self._dataset, self._target = dataset, target
        self._unsealed = False
        self._features: dict[str, Features] = {}

    def unseal_test(self, record: Callable[[int], None]) -> None:
        """Allows the one scoring of the test part.

        Args:
            record: told of it before, with the number of rows.

        Raises:
            RunError: it was scored already.
        """
        if self._unsealed:
            raise RunError("The test part was scored already; another look at it would have to be counted as well.")
        record(len(self.split.test))
        self._unsealed = True

    def rows(self, part: str) -> npt.NDArray[np.intp]:
        """Positions of a part's rows in the dataset.

        Raises:
            RunError: the part is test and sealed.
        """
        if part == "test" and not self._unsealed:
            raise RunError("The test part is sealed until the final scoring; nothing in training may read it.")
        return self.split.parts()[part]

    def raw(self, part: str) -> Dataset:
        """The raw rows of a part."""
        return self._dataset.take(self.rows(part))

    def row_ids(self, part: str) -> npt.NDArray[Any]:
        """What a person finds a part's rows by."""
        return self._dataset.row_ids[self.rows(part)]

    def truth(self, part: str) -> Target:
        """The target of a part's rows."""
        return self._target.take(self.rows(part))

    def features(self, part: str) -> Features:
        """Features of a part, made once."""
        self.rows(part)
        return self._features_of(part)

    def sample(self, part: str, most: int) -> Sample:
        """Rows from all over a part, always the same ones.

        Args:
            part: train, validation or test.
            most: rows at most.
        """
        rows = self.rows(part)
        places = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.intp))
        if self.resident:
            features = {name: values[places] for name, values in self.features(part).items()}
        else:
            features = self._transform(rows[places])
        return Sample(self._dataset.take(rows[places]), self._target.take(rows[places]), features)

    def of_train_rows(self, name: str) -> npt.NDArray[Any]:
        """A feature of the train rows by its name, or under `target` what they are trained on, shape (n, outputs)."""
        if name != "target":
            return self.features("train")[name]
        truth = self.truth("train")
        return np.eye(truth.units, dtype=np.float32)[truth.values] if truth.kind.several_classes else truth.column

    def source(self, part: str, weights: npt.NDArray[np.float32] | None = None) -> Source:
        """A part's rows for the engine, with optional weights of shape (rows,)."""
        rows = self.rows(part)
        targets = self.truth(part).column
        if self.resident:
            return Resident(self.features(part), targets, weights)
        return Streaming(lambda places: self._transform(rows[places]), targets, weights)

    def refuse_non_finite(self) -> None:
        """Looks for numbers that preprocessing makes infinite or NaN, in all parts; of test at its features alone.

        Raises:
            DataError: there is one; its row and column are named.
        """
        for part, rows in self.split.parts().items():
            if not len(rows):
                continue
            if self.resident:
                self._features_of(part)
            else:
                for block in _blocks(rows):
                    self._transform(block)

    def _features_of(self, part: str) -> Features:
        if part not in self._features:
            self._features[part] = self._transform(self.split.parts()[part])
        return self._features[part]

    def _transform(self, rows: npt.NDArray[np.intp]) -> Features:
        return self.preprocessing.transform(self._dataset.take(rows))


class _WithoutRows(Dataset):
    """Names and kinds of a dataset's columns."""

    @classmethod
    def of(cls, dataset: Dataset) -> Dataset:
        """The dataset without its rows."""
        empty = dataset.take(np.zeros(0, np.intp))
        return cls(**{name: getattr(empty, name) for name in Dataset.__dataclass_fields__})

    def take(self, rows: npt.NDArray[np.integer]) -> Never:
        """Refuses: rows are given by part."""
        raise RunError("Rows are given by part alone, with Prepared.raw(part) and Prepared.truth(part).")


def _blocks(rows: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    for first in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[first : first + ROWS_AT_ONCE]


def prepare(
    dataset: Dataset,
    target: Target,
    split: Split,
    *,
    imputation: DictConfig,
    scaling: DictConfig,
    encoding: DictConfig,
    text: DictConfig,
    scales_target: bool,
    engine: str,
    memory_budget: float,
) -> Prepared:
    """Fits the preprocessing and the target's scale on the train rows.

    Raises:
        ConfigError: an option does not fit the data.
        DataError: the data cannot be preprocessed.
    """
    train = dataset.take(split.train)
    if scales_target:
        target = target.scaled_on(split.train)
    preprocessing = fit(
        train,
        imputation=lambda values: build(imputation, values, key="imputation"),
        scaling=lambda values: build(scaling, values, key="scaling"),
        encoding=encoding,
        text=text,
    )
    size = preprocessing.bytes_per_row * (len(split.train) + len(split.validation))
    resident = {"resident": True, "streaming": False}.get(engine, size <= memory_budget * GIB)
    data = Prepared(dataset, target, split, preprocessing, resident)
    data.refuse_non_finite()
    return data


def class_weights(wanted: Any, target: Target) -> npt.NDArray[np.float32] | None:
    """The weight of each row, shape (rows,), from `task.class_weight`."""
    if wanted is None:
        return None
    numbers = target.values.astype(np.int64)
    if wanted == "balanced":
        counts = np.bincount(numbers, minlength=len(target.classes))
        weights = len(numbers) / (len(target.classes) * counts)
        return weights[numbers].astype(np.float32)
    if not hasattr(wanted, "items"):
        raise ConfigError(f"task.class_weight: expected balanced or a weight for each class, got '{wanted}'.")
    given = {str(name): float(weight) for name, weight in wanted.items()}
    unknown = [name for name in given if name not in target.classes]
    if unknown:
        raise ConfigError(
            f"task.class_weight: '{unknown[0]}' is no class of the target.{did_you_mean(unknown[0], target.classes)}"
        )
    return np.array([given.get(name, 1.0) for name in target.classes], np.float32)[numbers]
