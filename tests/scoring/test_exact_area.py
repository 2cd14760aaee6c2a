from __future__ import annotations

import keras
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dltrain.data.targets import Target
from dltrain.scoring.exact_area import areas, is_exact, rarest

BINARY = Target("binary", np.array([0, 0, 1, 1, 0, 1], np.float32), ("no", "yes"))
LABELS = Target("multilabel", np.array([[0, 1], [0, 1], [1, 1], [1, 1]], np.float32), ("a", "b"))


def test_ties_and_repeated_rows_count_as_in_scikit_learn() -> None:
    answers = np.array([0.1, 0.4, 0.4, 0.8, 0.8, 0.2], np.float32)
    weights = np.array([[1, 1, 1, 1, 1, 1], [3, 0, 1, 2, 1, 0]])
    found = areas(keras.metrics.AUC(), BINARY, answers[:, None], weights)
    expected = [roc_auc_score(BINARY.values, answers, sample_weight=draw) for draw in weights]
    assert found == pytest.approx(expected, abs=1e-12)


def test_answers_closer_than_any_threshold_are_told_apart() -> None:
    answers = 1e-9 * np.array([1, 2, 4, 5, 3, 6], np.float32)
    assert areas(keras.metrics.AUC(), BINARY, answers[:, None], np.ones((1, 6), int)).tolist() == [1]


def test_a_draw_without_both_classes_is_undefined() -> None:
    draw = BINARY.values[None].astype(int)
    assert np.isnan(areas(keras.metrics.AUC(), BINARY, np.ones((6, 1), np.float32), draw)).all()


def test_a_label_without_both_classes_is_left_out_of_the_mean() -> None:
    answers = np.array([[0.1, 0.9], [0.6, 0.1], [0.5, 0.2], [0.8, 0.7]], np.float32)
    found = areas(keras.metrics.AUC(multi_label=True), LABELS, answers, np.ones((1, 4), int))
    assert found.tolist() == [0.75]
    assert rarest(keras.metrics.AUC(multi_label=True), LABELS) == 0
    assert rarest(keras.metrics.AUC(), LABELS) == 2


def test_areas_of_another_kind_are_left_to_keras() -> None:
    assert is_exact(keras.metrics.AUC(), BINARY)
    other = (keras.metrics.AUC(curve="PR"), keras.metrics.AUC(thresholds=[0.5]), keras.metrics.BinaryAccuracy())
    assert not any(is_exact(metric, BINARY) for metric in other)
    assert not is_exact(keras.metrics.AUC(), Target("multiclass", np.array([0, 1, 2], np.int32), ("a", "b", "c")))
