"""What a metric is stands in one place, for Keras' own and for one's own."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import keras
import pytest

from dltrain.config.metric_traits import KERAS, MetricTraits, traits, traits_behind, traits_by_name, traits_of
from dltrain.internals.keras_optimizers import better_way
from dltrain.models.gaussian import LogLikelihood, RootMeanSquaredErrorOfMean
from dltrain.models.losses import SideAccuracy

OWN = """
import keras

class Kappa(keras.metrics.Metric):
    direction = "max"
    best: float = 1.0

class Errors(Kappa):
    direction = "min"

class Hits(keras.metrics.BinaryAccuracy):
    pass

class Unsaid(keras.metrics.Metric):
    direction = str("max")
"""


def test_the_table_has_the_metrics_of_keras_and_their_directions() -> None:
    concrete = {
        name: each
        for name, each in vars(keras.metrics).items()
        if inspect.isclass(each) and issubclass(each, keras.Metric) and name not in ("Metric", "MeanMetricWrapper")
    }
    assert set(concrete) == set(KERAS)
    needed = {"num_classes": 2, "target_class_ids": [1], "sensitivity": 0.5, "specificity": 0.5}
    needed |= {"precision": 0.5, "recall": 0.5}
    for name, each in concrete.items():
        required = [p.name for p in inspect.signature(each).parameters.values() if p.default is inspect.Parameter.empty]
        assert KERAS[name].direction == better_way(each(**{key: needed[key] for key in required})), name


@pytest.mark.parametrize("metric", [SideAccuracy, LogLikelihood, RootMeanSquaredErrorOfMean, keras.metrics.AUC])
def test_source_and_class_tell_the_same(metric: type) -> None:
    assert traits_behind(f"{metric.__module__}.{metric.__name__}") == traits_of(metric) != MetricTraits()


def test_a_class_of_ones_own_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_metrics_here.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    assert traits_behind("own_metrics_here.Kappa") == MetricTraits("max", 1.0)
    assert traits_behind("own_metrics_here.Errors") == MetricTraits("min", 1.0)
    # Of a metric that another one is made of, nothing is taken over but which way is better and when it has no value.
    assert traits_behind("own_metrics_here.Hits") == MetricTraits("max", 1.0, of_classes=True)
    assert traits("val_my_accuracy", "own_metrics_here.Errors").direction == "min"
    assert traits("val_my_accuracy", "own_metrics_here.Unsaid").direction == "max"  # by its name
    assert "own_metrics_here" not in sys.modules
    assert traits_behind("own_metrics_here.Nothing") is None


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("val_loss", "min"),
        ("val_accuracy", "max"),
        ("log_likelihood", "max"),
        ("val_rmse", "min"),
        ("epochs", "min"),
        ("kappa", None),
    ],
)
def test_a_name_tells_which_way_is_better(name: str, direction: str | None) -> None:
    assert traits_by_name(name).direction == direction
