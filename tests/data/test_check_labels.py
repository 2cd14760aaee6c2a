from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.data import check_labels

ROWS = 200  # of which 120 are train rows


@pytest.mark.parametrize(("every", "found"), [(2, False), (11, False), (12, True)])
def test_classes_of_ten_to_one_are_imbalanced(make_parts: Any, every: int, found: bool) -> None:
    target = (np.arange(ROWS) % every == 0).astype(float)
    columns = {"a": np.arange(float(ROWS))}
    assert bool(list(check_labels.imbalance(make_parts(columns, target)))) is found
    assert list(check_labels.imbalance(make_parts(columns, target, weighted=True))) == []


def test_few_rows_of_a_part_follow_from_the_share_of_train_rows(make_parts: Any) -> None:
    target = (np.arange(ROWS) % 10 == 0).astype(float)
    (finding,) = check_labels.few_rows(make_parts({"a": np.arange(float(ROWS))}, target))
    assert "Class '1' has about 4 rows in validation and 4 rows in test" in finding.sentence
    even = np.arange(ROWS) % 2.0
    assert list(check_labels.few_rows(make_parts({"a": np.arange(float(ROWS))}, even))) == []


def test_outliers_are_listed_from_the_farthest_on(make_parts: Any) -> None:
    target = np.random.default_rng(0).standard_normal(ROWS)
    parts = make_parts({"a": np.arange(float(ROWS))}, target, "regression")
    assert list(check_labels.outliers(parts)) == []
    target[[7, 70]] = [100, -1000]
    (finding,) = check_labels.outliers(make_parts({"a": np.arange(float(ROWS))}, target, "regression"))
    assert finding.rows == (70, 7)
    constant = make_parts({"a": np.arange(float(ROWS))}, np.where(np.arange(ROWS) == 7, 9.0, 1.0), "regression")
    assert list(check_labels.outliers(constant)) == []


@pytest.mark.parametrize("count", [0, 4])
def test_labels_against_all_other_rows_are_listed(make_parts: Any, count: int) -> None:
    generator = np.random.default_rng(1)
    values = 3 * generator.standard_normal(ROWS)
    target = (values + generator.standard_normal(ROWS) > 0).astype(float)
    wrong = np.argsort(-np.abs(values[:120]))[:count]
    target[wrong] = 1 - target[wrong]
    found = list(check_labels.noise(make_parts({"a": values}, target)))
    assert [set(finding.rows) for finding in found] == [set(wrong)] * bool(count)
