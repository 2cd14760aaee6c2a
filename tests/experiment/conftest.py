from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from dltrain.scoring.comparison import Difference
from dltrain.scoring.evaluation import Results


@pytest.fixture
def make_results() -> Callable[..., Results]:
    """Results of a run on two parts, with one metric that is undefined on test."""

    def make(**changed: Any) -> Results:
        results = Results(
            metrics={"train": {"loss": 0.25, "auc": 0.875}, "test": {"loss": 0.5, "auc": float("nan")}},
            intervals={"test": {"loss": (0.4, 0.6)}},
            baselines={"most frequent class": {"train": {"auc": 0.5}, "test": {"loss": 0.75}}},
            difference=Difference("test", "accuracy", "most frequent class", 0.125, (0.0625, 0.1875)),
            notes=["A note."],
            best_epoch=2,
            epochs=3,
            best_value=0.5,
            monitor="val_loss",
        )
        return replace(results, **changed)

    return make


@pytest.fixture
def console() -> Console:
    """A terminal of 120 characters whose text is kept."""
    return Console(width=120, record=True, quiet=False, force_terminal=False)
