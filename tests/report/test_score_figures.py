from __future__ import annotations

import numpy as np
import pytest

from dltrain.config.tasks import BINARY, MULTICLASS, REGRESSION
from dltrain.report.answers import Answers
from dltrain.report.score_figures import confusion_matrix, regression_pictures, roc_and_precision_recall


def test_a_confusion_matrix_tells_what_lies_on_its_diagonal() -> None:
    few = confusion_matrix(np.array([[3, 1], [0, 4]]), ("no", "yes"), "test")
    assert few.message.startswith("7 of 8 test rows are on the diagonal")
    assert ">3<" in few.template
    many = confusion_matrix(1234 * np.eye(13, dtype=int), [f"c{n}" for n in range(13)], "test")
    assert "1,234" not in many.template


@pytest.mark.parametrize(("order", "area"), [([0.1, 0.2, 0.8, 0.9], 1.0), ([0.9, 0.8, 0.2, 0.1], 0.0)])
def test_the_area_is_that_of_the_second_of_two_classes(order: list[float], area: float) -> None:
    given = np.array(order)
    answers = Answers("test", BINARY, ("no", "yes"), np.array([0, 0, 1, 1]), np.column_stack([1 - given, given]))
    roc, recall = roc_and_precision_recall(answers)
    assert f"area under the curve {area:.3f} for yes" in roc.message
    assert "The share of the class is 0.500." in recall.message


def test_classes_without_rows_have_no_curve() -> None:
    given = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    roc, _ = roc_and_precision_recall(Answers("test", MULTICLASS, ("a", "b", "c"), np.array([0, 1]), given))
    assert "for c" not in roc.message
    assert roc_and_precision_recall(Answers("test", MULTICLASS, ("a", "b", "c"), np.array([0, 0]), given)) == []


def test_residuals_are_predicted_minus_true() -> None:
    answers = Answers("test", REGRESSION, (), np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]))
    agree, residuals, _ = regression_pictures(answers)
    assert "correlation 1.000" in agree.message
    assert "Mean of the residuals 1, standard deviation 0." in residuals.message
