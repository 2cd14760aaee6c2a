from __future__ import annotations

import re
from typing import Any

import pytest
from omegaconf import OmegaConf

from dltrain.config.compose import conf_directory
from dltrain.config.head_rules import faults
from dltrain.config.tasks import TASKS


@pytest.mark.parametrize("name", TASKS)
def test_every_shipped_row_fits_itself(name: str) -> None:
    assert list(faults(OmegaConf.load(conf_directory() / "task" / f"{name}.yaml"))) == []


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("binary", {"activation": "softmax"}, "task.activation: softmax over the single unit of task=binary"),
        ("binary", {"activation": None}, "expected sigmoid or hard_sigmoid, got null"),
        ("gaussian_regression", {"activation": "relu"}, "task.activation: task=gaussian_regression makes its own"),
        *(
            ("regression", {"activation": "relu", "target_scaling": scaling}, "task.activation: relu bounds an answer")
            for scaling in ("standard", "log", "quantile")
        ),
        ("gaussian_regression", {"target_scaling": "log"}, "task.target_scaling=log: the deviation of .* own unit"),
        ("binary", {"loss": {"from_logits": True}}, "task.loss.from_logits: the last layer gives probabilities"),
        (
            "multiclass",
            {"loss": {"_target_": "keras.losses.CategoricalCrossentropy"}},
            "such as keras.losses.SparseCategoricalCrossentropy",
        ),
        ("regression", {"loss": {"_target_": "keras.losses.BinaryCrossentropy"}}, "task.loss: .* needs targets"),
        ("regression", {"metrics": {"auc": {"_target_": "keras.metrics.AUC"}}}, "task.metrics.auc: .* for classes"),
        ("regression", {"class_weight": "balanced"}, "task.class_weight has no effect with task=regression"),
        ("binary", {"class_weight": "even"}, "task.class_weight: expected balanced or a weight for each"),
        ("binary", {"class_weight": {"yes": -1}}, "task.class_weight.yes: expected a number of at least 0"),
        ("binary", {"class_weight": {"yes": 0}}, "every given weight is 0"),
        ("binary", {"monte_carlo_dropout": 5}, "task.monte_carlo_dropout has no effect with task=binary"),
        ("binary", {"target_scaling": "standard"}, "task.target_scaling has no effect with task=binary"),
    ],
)
def test_one_change_that_does_not_fit_is_one_fault(name: str, change: Any, sentence: str) -> None:
    row = OmegaConf.load(conf_directory() / "task" / f"{name}.yaml")
    row.merge_with(change)
    (found,) = faults(row)
    assert re.search(sentence, found)


def test_a_task_of_ones_own_is_not_judged() -> None:
    own = {"name": "ranking", "activation": "softmax", "loss": {"_target_": "my.Loss"}, "metrics": {}}
    assert list(faults(OmegaConf.create(own))) == []
