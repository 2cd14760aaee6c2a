"""A row of weight 3 counts as three rows of weight 1, in everything that scores."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dltrain.data.targets import Target
from dltrain.scoring.comparison import compare
from dltrain.scoring.evaluation import intervals, score

GENERATOR = np.random.default_rng(3)
ROWS = 80
WEIGHTS = GENERATOR.integers(1, 5, ROWS)
SIGMOIDS = GENERATOR.random((ROWS, 3)).astype(np.float32)
LABELS = (GENERATOR.random((ROWS, 3)) < SIGMOIDS).astype(np.float32)
SOFTMAX = SIGMOIDS / SIGMOIDS.sum(axis=1, keepdims=True)
AREA = keras.metrics.AUC(name="auc")
CASES = {
    "binary": (
        Target("binary", LABELS[:, 0], ("no", "yes")),
        SIGMOIDS[:, :1],
        [keras.metrics.BinaryAccuracy(name="accuracy"), AREA, keras.metrics.Recall(name="recall")],
        keras.losses.BinaryCrossentropy(),
    ),
    "multiclass": (
        Target("multiclass", GENERATOR.integers(0, 3, ROWS).astype(np.int32), ("a", "b", "c")),
        SOFTMAX,
        [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        keras.losses.SparseCategoricalCrossentropy(),
    ),
    "multilabel": (
        Target("multilabel", LABELS, ("a", "b", "c")),
        SIGMOIDS,
        [keras.metrics.BinaryAccuracy(name="accuracy"), AREA],
        keras.losses.BinaryCrossentropy(),
    ),
    "regression": (
        Target("regression", GENERATOR.normal(size=ROWS).astype(np.float32)),
        SIGMOIDS[:, :1],
        [keras.metrics.RootMeanSquaredError(name="rmse")],
        keras.losses.MeanSquaredError(),
    ),
}


def both(target: Target, *answers: np.ndarray) -> list[tuple[Any, ...]]:
    """The rows with weights, and each row as often as its weight says."""
    weighted = Target(target.task, target.values, target.classes, weights=WEIGHTS.astype(np.float64))
    places = np.repeat(np.arange(ROWS), WEIGHTS)
    return [(weighted, *answers), (target.take(places), *(each[places] for each in answers))]


@pytest.mark.parametrize("name", CASES)
def test_metrics(name: str) -> None:
    target, answers, metrics, _ = CASES[name]
    weighted, repeated = (score(metrics, *rows) for rows in both(target, answers))
    assert weighted == pytest.approx(repeated, rel=1e-5)
    assert weighted != pytest.approx(score(metrics, target, answers), rel=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_difference_to_the_baseline(name: str) -> None:
    target, answers, *_ = CASES[name]
    area = "auc" if name == "binary" else None
    rows = both(target, answers, answers[::-1], np.full_like(answers, answers.mean()))
    weighted, repeated = (
        compare("test", truth, mine, {"one": one, "other": other}, 0, area=area) for truth, mine, one, other in rows
    )
    assert (weighted.baseline, weighted.value) == (repeated.baseline, pytest.approx(repeated.value))
    assert weighted.interval is not None
    assert repeated.interval is not None
    assert np.ptp(weighted.interval) > np.ptp(repeated.interval)  # of fewer rows
    for one, other in [(weighted.area, repeated.area)] if area else []:
        assert one is not None
        assert other is not None
        assert (one.baseline, one.value) == (other.baseline, pytest.approx(other.value))


@pytest.mark.parametrize("name", CASES)
def test_intervals_are_around_the_weighted_value_and_wider_than_of_repeated_rows(name: str) -> None:
    target, answers, metrics, loss = CASES[name]
    (weighted, _), (repeated, copies) = both(target, answers)
    own, of_copies = intervals(metrics, loss, weighted, answers, 0), intervals(metrics, loss, repeated, copies, 0)
    assert set(own) == set(of_copies) == {"loss", *(metric.name for metric in metrics)}
    values = score(metrics, weighted, answers)
    for metric, (low, high) in own.items():
        assert high - low > np.ptp(of_copies[metric])
        assert low < values.get(metric, (low + high) / 2) < high


@pytest.mark.parametrize("name", CASES)
def test_equal_weights_change_nothing(name: str) -> None:
    target, answers, metrics, loss = CASES[name]
    same = Target(target.task, target.values, target.classes, weights=np.full(ROWS, 2.0))
    assert score(metrics, same, answers) == pytest.approx(score(metrics, target, answers), rel=1e-6)
    found, plain = (intervals(metrics, loss, each, answers, 0) for each in (same, target))
    for metric, interval in plain.items():
        assert found[metric] == pytest.approx(interval, rel=1e-5)
    one, two = (compare("test", each, answers, {"other": answers[::-1]}, 0) for each in (same, target))
    assert one.value == pytest.approx(two.value)
    assert one.interval == pytest.approx(two.interval)


def test_effective_rows_are_those_of_equal_weights() -> None:
    assert Target("regression", np.zeros(4), weights=np.full(4, 0.5)).effective_rows == pytest.approx(4)
    assert Target("regression", np.zeros(4), weights=np.array([1e-9, 1, 1e-9, 1])).effective_rows == pytest.approx(2)
    assert Target("regression", np.zeros(4)).effective_rows == 4
