from __future__ import annotations

import math
from typing import Any

import pytest
from omegaconf import OmegaConf

from dltrain.config.compose import Composer
from dltrain.config.ranges import faults


def found(config: dict[str, Any]) -> list[str]:
    return list(faults(OmegaConf.create(config)))


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"optimizer": {"learning_rate": 0}}, "optimizer.learning_rate: expected a number above 0, got 0."),
        ({"optimizer": {"beta_1": 1.0}}, "optimizer.beta_1: expected a number from 0 to below 1, got 1.0."),
        ({"model": {"dropout": -0.1}}, "model.dropout: expected a share from 0 to below 1, got -0.1."),
        ({"model": {"units": [4, 0]}}, "model.units[1]: expected a number from 1 to 2,147,483,647, got 0."),
        ({"imputation": {"value": math.inf}}, "imputation.value: expected a number that is finite, got inf."),
        (
            {"callbacks": {"mine": {"patience": -1}}},
            "callbacks.mine.patience: expected a number of at least 0, got -1.",
        ),
    ],
)
def test_number_that_cannot_train_is_named(config: dict[str, Any], fault: str) -> None:
    assert found(config) == [fault]


def test_all_faults_come_at_once_and_other_values_pass() -> None:
    assert len(found({"optimizer": {"learning_rate": -1, "epsilon": 0, "beta_2": 0.5}})) == 2
    for value in (None, "???", "${missing}"):
        assert found({"optimizer": {"learning_rate": value}}) == []
    for value in (True, "x", [], {}):  # Keras takes these for a limit of gradients, and clips nothing or fails later
        assert len(found({"optimizer": {"clipnorm": value}})) == 1
    assert found({"model": {"bins": "auto"}}) == []


def test_classes_of_a_person_may_mean_anything() -> None:
    assert found({"optimizer": {"_target_": "mine.Optimizer", "learning_rate": -1}}) == []
    assert len(found({"optimizer": {"_target_": "keras.optimizers.Adam", "learning_rate": -1}})) == 1


def test_defaults_are_in_their_ranges() -> None:
    assert list(faults(Composer().compose(["dataset=synthetic"]))) == []
