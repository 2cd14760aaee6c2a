from __future__ import annotations

import keras
import pytest

from dltrain.internals.keras_optimizers import better_way, moving_averages, scale_weight_decay


def test_weight_decay_is_multiplied_by_what_the_variable_holds() -> None:
    weight, share = keras.Variable([1.0]), keras.Variable(0.5)
    optimizer = keras.optimizers.SGD(0.1, weight_decay=1.0)
    optimizer.build([weight])
    scale_weight_decay(optimizer, share)
    optimizer.apply([keras.ops.zeros((1,))])
    assert float(weight[0]) == pytest.approx(0.95)
    share.assign(0.0)
    optimizer.apply([keras.ops.zeros((1,))])
    assert float(weight[0]) == pytest.approx(0.95)
    assert optimizer.weight_decay == 1.0


def test_average_of_each_weight() -> None:
    weight = keras.Variable([1.0])
    optimizer = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.build([weight])
    for _ in range(2):
        optimizer.apply([keras.ops.ones((1,))])
    assert [float(each[0]) for each in moving_averages(optimizer)] == [-0.5]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (keras.metrics.BinaryAccuracy(), "max"),
        (keras.metrics.MeanAbsoluteError(), "min"),
        (keras.metrics.Mean(), None),
    ],
)
def test_way(metric: keras.Metric, expected: str | None) -> None:
    assert better_way(metric) == expected
