"""The data of a run, ready to train on; the test part stays sealed until it is scored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig

from dltrain.build import build
from dltrain.data.dataset import Dataset
from dltrain.data.split import Split
from dltrain.errors import ConfigError, RunError, did_you_mean
from dltrain.preprocessing.fit import Features, Preprocessing, fit
from dltrain.targets import Target
from dltrain.training.source import Resident, Source, Streaming

GIB = 2**30


@dataclass
class Prepared:
    """Parts of a dataset with the preprocessing that was fitted on its train part.

    Attributes:
        dataset: all rows.
        target: of all rows, scaled on the train rows.
        split: the parts.
        preprocessing: fitted.
        resident: whether all features are held in memory.
    """

    dataset: Dataset
    target: Target
    split: Split
    preprocessing: Preprocessing
    resident: bool
    _unsealed: bool = False
    _features: dict[str, Features] = field(default_factory=dict)

    def unseal_test(self) -> None:
        """Allows the one scoring of the test part; the caller records it."""
        self._unsealed = True

    def rows(self, part: str) -> npt.NDArray[np.intp]:
        """Positions of a part's rows in the dataset.

        Raises:
            RunError: the part is test and sealed.
        """
        if part == "test" and not self._unsealed:
            raise RunError("The test part is sealed until the final scoring; nothing in training may read it.")
        return self.split.parts()[part]

    def features(self, part: str) -> Features:
        """Features of a part, made once."""
        if part not in self._features:
            self._features[part] = self.preprocessing.transform(self.dataset.take(self.rows(part)))
        return self._features[part]

    def source(self, part: str, weights: npt.NDArray[np.float32] | None = None) -> Source:
        """A part's rows for the engine, with optional weights of shape (rows,)."""
        rows = self.rows(part)
        targets = self.target.take(rows).column
        if self.resident:
            return Resident(self.features(part), targets, weights)
        return Streaming(lambda places: self.preprocessing.transform(self.dataset.take(rows[places])), targets, weights)


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
    return Prepared(dataset, target, split, preprocessing, resident)


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
