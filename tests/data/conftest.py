from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dltrain.data.finding import Parts
from dltrain.data.targets import encode


@pytest.fixture
def make_parts(make_dataset: Any) -> Callable[..., Parts]:
    """The parts of one small table as a check gets them: 60 % train rows, then validation, then test rows."""

    def make(
        columns: dict[str, Any], target: Any = None, task: str = "binary", weighted: bool = False, **more: Any
    ) -> Parts:
        dataset = make_dataset(columns, target=target, **more)
        rows = np.arange(len(dataset))
        train, validation, test = np.split(rows, [len(rows) * 6 // 10, len(rows) * 8 // 10])
        raw = {"train": dataset.take(train), "validation": dataset.take(validation)}
        raw["test"] = replace(dataset.take(test), target={})
        return Parts(raw, encode(dataset, task).take(train), weighted, seed=0)

    return make
