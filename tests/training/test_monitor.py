from __future__ import annotations

import keras
import pytest

from dltrain.base.errors import ConfigError
from dltrain.training.monitor import better, direction


@pytest.fixture(scope="module")
def model() -> keras.Model:
    made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    named = [keras.metrics.MeanAbsoluteError(name="distance"), keras.metrics.AUC(name="area")]
    made.compile("sgd", "mse", metrics=named)
    made.evaluate(keras.ops.ones((2, 1)), keras.ops.ones((2, 1)), verbose=0)
    return made


@pytest.mark.parametrize(
    ("monitor", "expected"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("val_distance", "min"),
        ("val_area", "max"),
        ("val_accuracy", "max"),
        ("auc", "max"),
        ("val_rmse", "min"),
    ],
)
def test_auto_knows_the_direction(model: keras.Model, monitor: str, expected: str) -> None:
    assert direction(monitor, "auto", model) == expected


def test_mode_wins(model: keras.Model) -> None:
    assert direction("val_loss", "max", model) == "max"
    assert direction("val_accuracy", "min", model) == "min"


def test_unknown_direction_is_refused(model: keras.Model) -> None:
    with pytest.raises(ConfigError, match=r"'val_learning_rate' does not say .* set mode"):
        direction("val_learning_rate", "auto", model)


def test_better_is_strict() -> None:
    assert better(1.0, 2.0, "min")
    assert better(2.0, 1.0, "max")
    assert not better(1.0, 1.0, "min")
    assert not better(1.0, 1.0, "max")
