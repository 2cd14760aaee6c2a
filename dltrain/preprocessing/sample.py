"""Holds some rows of a part for inspection: raw, preprocessed, and with the predictions of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dltrain.data.answers import THRESHOLD, name_answers
from dltrain.data.dataset import Dataset
from dltrain.data.targets import Target
from dltrain.preprocessing.fit import Features

ROWS_AT_ONCE = 128  # images are large


@dataclass(frozen=True)
class Sample:
    """Some rows of a part as loaded, their target, and the same rows preprocessed."""

    raw: Dataset
    truth: Target
    features: Features

    def answers(self, model: keras.Model) -> list[npt.NDArray[np.float32]]:
        """Returns each output of a model that takes features, for all rows, (n, width), in inference mode."""
        found = []
        for first in range(0, len(self.raw), ROWS_AT_ONCE):
            block = {name: values[first : first + ROWS_AT_ONCE] for name, values in self.features.items()}
            outputs = model(block, training=False)
            found.append([np.asarray(each) for each in (outputs if isinstance(outputs, list) else [outputs])])
        return [np.concatenate(each) for each in zip(*found, strict=True)]

    def read(self, answers: npt.NDArray[np.floating[Any]]) -> list[str]:
        """Writes each prediction, from outputs (n, units), as a class, a list of labels or a number."""
        named = name_answers(self.truth.kind, self.truth.classes, answers, THRESHOLD)
        if "prediction" in named:
            return [str(each) if self.truth.classes else f"{each:.6g}" for each in named["prediction"]]
        chosen = np.column_stack([named[f"prediction_{label}"] for label in self.truth.classes])
        return [
            ", ".join(label for label, has in zip(self.truth.classes, row, strict=True) if has) or "none"
            for row in chosen
        ]

    @property
    def targets(self) -> list[str]:
        """The target of each row in the format of `read`."""
        several = self.truth.kind.several_classes
        return self.read(np.eye(self.truth.units)[self.truth.values] if several else self.truth.column)
