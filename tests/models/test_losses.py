from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dltrain.models.losses import InUnits, SideAccuracy, SparseCategoricalCrossentropy

ANSWERS = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3]], np.float32)
LABELS = np.array([[0], [1], [1]], np.int32)


def again(thing: Any) -> Any:
    """The same thing, from its config."""
    kind = type(thing)
    return kind.from_config(thing.get_config())


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("labels", [LABELS, LABELS[:, 0]], ids=["column", "flat"])
def test_sparse_cross_entropy_is_that_of_one_hot_labels(smoothing: float, labels: np.ndarray) -> None:
    expected = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)(np.eye(3)[LABELS[:, 0]], ANSWERS)
    loss = SparseCategoricalCrossentropy(label_smoothing=smoothing)
    assert float(loss(labels, ANSWERS)) == pytest.approx(float(expected), rel=1e-6)
    assert float(again(loss)(labels, ANSWERS)) == float(loss(labels, ANSWERS))


@pytest.mark.parametrize("make", [keras.losses.MeanSquaredError, keras.losses.Huber, keras.losses.MeanAbsoluteError])
def test_loss_in_units_is_the_loss_of_the_scaled_values(make: Any) -> None:
    truth, answers = np.array([[10.0], [40.0]], np.float32), np.array([[20.0], [10.0]], np.float32)
    loss = InUnits(make(), offset=15.0, scale=5.0)
    expected = float(make()((truth - 15) / 5, (answers - 15) / 5))
    assert float(loss(truth, answers)) == pytest.approx(expected, rel=1e-6)
    assert float(again(loss)(truth, answers)) == float(loss(truth, answers))


def test_side_accuracy_counts_rows_on_the_same_side() -> None:
    truth = np.array([[1.0], [4.0], [7.0], [10.0]], np.float32)
    answers = np.array([[5.0], [6.0], [6.0], [2.0]], np.float32)
    metric = SideAccuracy(threshold=5.5, name="side")
    assert float(metric(truth, answers)) == 0.5
    copy = again(metric)
    assert (copy.name, copy.threshold) == ("side", 5.5)
    assert float(copy(truth, answers)) == 0.5


def test_side_accuracy_of_a_unit_range_cuts_in_the_middle() -> None:
    assert float(SideAccuracy()(np.array([[0.2], [0.6]], np.float32), np.array([[0.4], [0.4]], np.float32))) == 0.5
