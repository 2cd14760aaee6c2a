from __future__ import annotations

from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from dltrain.config.search_objectives import by_objectives, directions, faults

METRICS = {"accuracy": {"_target_": "keras.metrics.BinaryAccuracy"}, "own": {"_target_": "mine.Own"}}


def config(objectives: list[str], chosen: Any = "auto") -> DictConfig:
    node: Any = {"search": {"objectives": objectives, "directions": chosen}}
    return OmegaConf.create(node | {"task": {"monitor": "val_loss", "metrics": METRICS}})


@pytest.mark.parametrize(
    ("objectives", "chosen", "told"),
    [
        ([], "auto", "expected at least one"),
        (["val_loss", "val_loss"], "auto", "expected each once, got 'val_loss' 2 times"),
        (["test_loss"], "auto", "would choose by the test part"),
        (["val_acuracy"], "auto", "Did you mean 'val_accuracy'?"),
        (["val_own"], "auto", "does not say which way is better"),
        (["val_loss"], ["min", "max"], "expected 1, one for each of search.objectives, or auto"),
        (["val_own"], ["up"], "expected min or max, got up"),
    ],
)
def test_objective_that_cannot_be_is_refused(objectives: list[str], chosen: Any, told: str) -> None:
    found = list(faults(config(objectives, chosen)))
    assert len(found) == 1
    assert told in found[0]


def test_directions_are_those_of_the_metrics_unless_they_are_given() -> None:
    names = ["val_loss", "val_accuracy", "parameters"]
    assert list(faults(config(names))) == []
    assert directions(config(names)) == ["min", "max", "min"]
    assert by_objectives(config(["val_own"], ["max"])) == {"val_own": "max"}
    assert list(faults(config(["val_own"], ["max"]))) == []
    assert by_objectives(OmegaConf.create({"search": None})) == {}
