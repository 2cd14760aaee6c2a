"""Holds the preprocessed data of a run and seals the test part until it is scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Never

import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig

from dltrain.base.errors import ConfigError, RunError, did_you_mean
from dltrain.config.build import build
from dltrain.data.dataset import Dataset
from dltrain.data.split import Split
from dltrain.data.storage import release_pages
from dltrain.data.targets import Target
from dltrain.preprocessing.choose_text import chosen
from dltrain.preprocessing.fit import ROWS_AT_ONCE, Features, Preprocessing, fit
from dltrain.preprocessing.rows import BLOCK_BYTES, Resident, Source, Streaming
from dltrain.preprocessing.sample import Sample

GIB = 2**30


class Prepared:
    """Parts of a dataset with the preprocessing that was fitted on the train part.

    Rows can be read by part alone, and those of the test part only after `unseal_test`, so that no code reads a test
    row by mistake. `dataset` and `target` have no rows; `resident` says that all features are held in memory.
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
        self._texts: dict[str, npt.NDArray[np.int32] | None] = {}  # of streamed parts, numbered once into files

    def unseal_test(self, record: Callable[[int], None]) -> None:
        """Allows the one scoring of the test part, after `record` was called with its number of rows.

        Raises:
            RunError: If it was scored already.
        """
        if self._unsealed:
            raise RunError("The test part was scored already; another look at it would have to be counted as well.")
        record(len(self.split.test))
        self._unsealed = True

    def rows(self, part: str) -> npt.NDArray[np.intp]:
        """Returns the positions of a part's rows in the dataset.

        Raises:
            RunError: If the part is test and sealed.
        """
        if part == "test" and not self._unsealed:
            raise RunError("The test part is sealed until the final scoring; nothing in training may read it.")
        return self.split.parts()[part]

    def raw(self, part: str) -> Dataset:
        """Returns the raw rows of a part."""
        return self._dataset.take(self.rows(part))

    def row_ids(self, part: str) -> npt.NDArray[Any]:
        """Returns the identifiers of a part's rows."""
        return self._dataset.row_ids[self.rows(part)]

    def truth(self, part: str) -> Target:
        """Returns the target of a part's rows."""
        return self._target.take(self.rows(part))

    def features(self, part: str) -> Features:
        """Returns the features of a part, which are computed once."""
        self.rows(part)
        return self._features_of(part)

    def sample(self, part: str, most: int) -> Sample:
        """Returns at most `most` rows, evenly spaced over a part and always the same."""
        rows = self.rows(part)
        places = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.intp))
        if self.resident:
            features = {name: values[places] for name, values in self.features(part).items()}
        else:
            features = self._transform(rows[places])
        return Sample(self._dataset.take(rows[places]), self._target.take(rows[places]), features)

    def train_values(self, name: str) -> npt.NDArray[Any]:
        """Returns a feature of the train rows by its name, or for `target` their targets, shape (n, outputs)."""
        if name == "target":
            return _targets(self.truth("train"))
        texts = self._texts_of("train") if name == "text" and not self.resident else None
        return self.features("train")[name] if texts is None else texts

    def source(self, part: str, weights: npt.NDArray[np.float32] | None = None) -> Source:
        """Returns a part's rows for the engine, with weights of shape (rows,), by default those of the dataset."""
        self.rows(part)
        truth = self.truth(part)
        targets, own = truth.column, truth.relative_weights
        weights = weights if weights is not None or own is None else own.astype(np.float32)
        if self.resident:
            return Resident(self.features(part), targets, weights)
        return Streaming(lambda places: self._block(part, places), targets, weights)

    def refuse_non_finite(self) -> None:
        """Searches all parts for features that preprocessing made infinite or NaN.

        Raises:
            DataError: If there is one; the message names its row and column.
        """
        for part, rows in self.split.parts().items():
            if not len(rows):
                continue
            if self.resident:
                self._features_of(part)
            else:
                some = max(1, min(ROWS_AT_ONCE, BLOCK_BYTES // self.preprocessing.bytes_per_row))
                for first in range(0, len(rows), some):
                    self._transform(rows[first : first + some], texts=False)
                    release_pages()

    def _features_of(self, part: str) -> Features:
        if part not in self._features:
            texts = None if self.resident else self._texts_of(part)
            found = self._transform(self.split.parts()[part], texts=self.resident)
            self._features[part] = found if texts is None else {**found, "text": texts}
        return self._features[part]

    def _block(self, part: str, places: npt.NDArray[np.integer]) -> Features:
        """Returns the features of some rows of a streamed part."""
        texts = self._texts_of(part)
        found = self._transform(self.split.parts()[part][places], texts=False)
        return found if texts is None else {**found, "text": texts[places]}

    def _texts_of(self, part: str) -> npt.NDArray[np.int32] | None:
        if part not in self._texts:
            self._texts[part] = self.preprocessing.number_texts(self._dataset.take(self.split.parts()[part]))
        return self._texts[part]

    def _transform(self, rows: npt.NDArray[np.intp], *, texts: bool = True) -> Features:
        return self.preprocessing.transform(self._dataset.take(rows), texts=texts)


def _targets(truth: Target) -> npt.NDArray[Any]:
    """Returns targets of shape (n, outputs), a column for each class of several."""
    return np.eye(truth.units, dtype=np.float32)[truth.values] if truth.kind.several_classes else truth.column


class _WithoutRows(Dataset):
    """Names and kinds of a dataset's columns, without rows."""

    @classmethod
    def of(cls, dataset: Dataset) -> Dataset:
        """Returns the dataset without its rows."""
        empty = dataset.take(np.zeros(0, np.intp))
        return cls(**{name: getattr(empty, name) for name in Dataset.__dataclass_fields__})

    def take(self, rows: npt.NDArray[np.integer]) -> Never:
        """Raises RunError, because rows may be read by part alone."""
        raise RunError("Rows are given by part alone, with Prepared.raw(part) and Prepared.truth(part).")


def prepare(
    dataset: Dataset,
    target: Target,
    split: Split,
    *,
    imputation: DictConfig,
    scaling: DictConfig,
    encoding: DictConfig,
    text: DictConfig,
    target_scaling: str | None,
    engine: str,
    memory_budget: float,
) -> Prepared:
    """Fits the preprocessing and the target's scale on the train rows.

    `memory_budget` is in GiB; with the engine auto, features of the train and validation parts above it are streamed.
    """
    train = dataset.take(split.train)
    if target_scaling is not None and target_scaling != "none":
        target = target.scaled_on(split.train, target_scaling)
    targets = _targets(target.take(split.train))
    text, notes = chosen(text, train, targets, train.weights)
    preprocessing = fit(
        train,
        imputation=lambda values: build(imputation, values, key="imputation"),
        scaling=lambda values: build(scaling, values, key="scaling"),
        encoding=encoding,
        text=text,
    )
    preprocessing = replace(preprocessing, notes=(*notes, *preprocessing.notes))
    size = preprocessing.bytes_per_row * (len(split.train) + len(split.validation))
    resident = {"resident": True, "streaming": False}.get(engine, size <= memory_budget * GIB)
    data = Prepared(dataset, target, split, preprocessing, resident)
    data.refuse_non_finite()
    return data


def training_weights(wanted: Any, target: Target) -> npt.NDArray[np.float32] | None:
    """Returns the weight of each row in the training, shape (rows,), or None if all weigh the same.

    It is the row's own weight times that of its class by the value of `task.class_weight`.
    """
    own = target.relative_weights
    if wanted is None:
        return None if own is None else own.astype(np.float32)
    numbers = target.values.astype(np.int64)
    own = np.ones(len(numbers)) if own is None else own
    if wanted == "balanced":
        counts = np.bincount(numbers, own, minlength=len(target.classes))
        weights = len(numbers) / (len(target.classes) * counts)
        return (weights[numbers] * own).astype(np.float32)
    if not hasattr(wanted, "items"):
        raise ConfigError(f"task.class_weight: expected balanced or a weight for each class, got '{wanted}'.")
    given = {str(name): float(weight) for name, weight in wanted.items()}
    unknown = [name for name in given if name not in target.classes]
    if unknown:
        raise ConfigError(
            f"task.class_weight: '{unknown[0]}' is not a class of the target.{did_you_mean(unknown[0], target.classes)}"
        )
    return (np.array([given.get(name, 1.0) for name in target.classes])[numbers] * own).astype(np.float32)
