"""Naive Bayes' log-count ratios."""

from __future__ import annotations

import numpy as np
import pytest

from dltrain.preprocessing.log_count_ratios import inverse_document_frequencies, log_count_ratios

IDS = np.array([[2, 3, 0], [2, 1, 0], [3, 4, 0], [4, 0, 0]], np.int32)


def test_ratios_are_those_of_the_paper() -> None:
    ratios = log_count_ratios(IDS, np.array([[1], [1], [0], [0.0]]), 5, smoothing=1.0)
    high, low = np.array([3, 2, 1]) / 6, np.array([1, 2, 3]) / 6
    np.testing.assert_allclose(ratios[2:, 0], np.log(high / low), rtol=1e-6)
    assert not ratios[:2].any()


def test_a_quantity_counts_as_high_above_its_mean() -> None:
    classes = log_count_ratios(IDS, np.array([[1], [1], [0], [0.0]]), 5, smoothing=0.5)
    np.testing.assert_array_equal(log_count_ratios(IDS, np.array([[9], [7], [1], [2.0]]), 5, smoothing=0.5), classes)


@pytest.mark.parametrize("outputs", [2, 3])
def test_each_output_has_its_own(outputs: int) -> None:
    targets = np.eye(outputs)[[0, 0, 1, 1]]
    ratios = log_count_ratios(IDS, targets, 5, smoothing=1.0)
    assert ratios.shape == (5, outputs)
    np.testing.assert_allclose(ratios[:, 0], -ratios[:, 1], rtol=1e-6)


def test_rare_ngrams_weigh_more_and_a_text_counts_once() -> None:
    found = inverse_document_frequencies(np.array([[2, 2, 3], [2, 0, 0], [2, 1, 0]], np.int32), 5)
    np.testing.assert_allclose(found, [0, 0, 1, 1 + np.log(2), 1 + np.log(4)], rtol=1e-6)
