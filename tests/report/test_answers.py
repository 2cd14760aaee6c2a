from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from dltrain.config.tasks import BINARY, MULTICLASS, MULTILABEL, REGRESSION, Task
from dltrain.report.answers import Answers, calibration, confusion, per_class, read_answers, thresholds


def test_both_of_two_classes_have_the_area_of_the_second() -> None:
    # In 32 bits 1 - p is 1 for all of these, so that the first class alone would be at chance.
    small = np.array([1e-12, 2e-12, 3e-12, 4e-12], np.float32)
    given = np.column_stack([1 - small, small]).astype(np.float64)
    answers = Answers("test", BINARY, ("no", "yes"), np.array([0, 0, 1, 1]), given)
    assert [row["auc"] for row in per_class(answers, 0.5)] == [1, 1]


def test_predictions_are_read_by_part_with_escaped_names(tmp_path: Path) -> None:
    file = tmp_path / "predictions.csv"
    rows = ["1,train,'=a,b,0.2,0.8", "2,test,b,b,0.4,0.6", "3,train,'=a,'=a,0.9,0.1"]
    file.write_text("\n".join(["row_id,part,target,prediction,probability_a,probability_b", *rows, ""]))
    found = read_answers(file, BINARY, ("=a", "b"))
    assert found["train"].truth.tolist() == [0, 0]
    assert found["train"].given.tolist() == [[0.2, 0.8], [0.9, 0.1]]
    assert found["test"].truth.tolist() == [1]


def test_labels_and_amounts_are_read_from_their_own_columns(tmp_path: Path) -> None:
    file = tmp_path / "predictions.csv"
    names = [f"{what}_{label}" for label in "ab" for what in ("target", "prediction", "probability")]
    file.write_text(",".join(["row_id", "part", *names]) + "\n1,test,1,0,0.3,0,1,0.7\n")
    labels = read_answers(file, MULTILABEL, ("a", "b"))["test"]
    assert (labels.truth.tolist(), labels.given.tolist()) == ([[1, 0]], [[0.3, 0.7]])
    file.write_text("row_id,part,target,prediction\n1,test,2.5,3\n")
    amounts = read_answers(file, REGRESSION, ())["test"]
    assert (amounts.truth.tolist(), amounts.given.tolist()) == ([2.5], [3])


def test_a_confusion_matrix_counts_true_classes_by_row() -> None:
    given = np.array([[0.1, 0.9, 0], [0, 0.2, 0.8], [0.6, 0.3, 0.1], [0.5, 0.4, 0.1]])
    answers = Answers("test", MULTICLASS, ("a", "b", "c"), np.array([0, 2, 0, 1]), given)
    assert confusion(answers, 0.5).tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_a_threshold_moves_the_second_of_two_classes() -> None:
    given = np.array([0.1, 0.35, 0.4, 0.8])
    answers = Answers("test", BINARY, ("no", "yes"), np.array([0, 0, 1, 1]), np.column_stack([1 - given, given]))
    found = thresholds(answers)
    best = found.best("f1")
    assert 0.35 <= best < 0.4
    assert set(found.at(best).values()) == {1}
    assert confusion(answers, best).tolist() == [[2, 0], [0, 2]]
    assert confusion(answers, 0.5).tolist() == [[2, 0], [1, 1]]
    assert found.at(0.5)["accuracy"] == 0.75


def test_probabilities_that_come_true_as_often_as_said_have_no_calibration_error() -> None:
    given = np.repeat([0.25, 0.75], 4)
    truth = np.array([1, 0, 0, 0, 1, 1, 1, 0])
    answers = Answers("test", BINARY, ("no", "yes"), truth, np.column_stack([1 - given, given]))
    found = calibration(answers)
    assert found.error == pytest.approx(0)
    assert found.rows.tolist() == [4, 4]
    opposite = Answers("test", BINARY, ("no", "yes"), 1 - truth, np.column_stack([1 - given, given]))
    assert calibration(opposite).error == pytest.approx(0.5)


@pytest.mark.parametrize(("task", "classes"), [(BINARY, "ab"), (MULTICLASS, "abc"), (MULTILABEL, "abc")])
def test_a_row_of_weight_two_counts_as_two_rows(task: Task, classes: str) -> None:
    random = np.random.default_rng(0)
    given = random.dirichlet(np.ones(len(classes)), 40)
    truth = (random.random(given.shape) < given).astype(int) if task.labels else random.integers(0, len(classes), 40)
    weights = random.integers(1, 4, 40)
    rows = np.repeat(np.arange(40), weights)
    weighted = Answers("test", task, tuple(classes), truth, given, weights.astype(float))
    repeated = Answers("test", task, tuple(classes), truth[rows], given[rows])
    for found, expected in zip(per_class(weighted, 0.4), per_class(repeated, 0.4), strict=True):
        assert found == pytest.approx(expected | {"rows": found["rows"]})
    for measure in (calibration, *([thresholds] if task.two_classes else [])):
        found, expected = asdict(measure(weighted)), asdict(measure(repeated))
        assert found.keys() == expected.keys()
        for name in found:
            np.testing.assert_allclose(found[name], expected[name], err_msg=name)


def test_weights_are_read_from_the_last_column(tmp_path: Path) -> None:
    file = tmp_path / "predictions.csv"
    file.write_text("row_id,part,target,prediction,weight\n1,train,2.5,3,4\n2,test,1,2,0.5\n")
    found = {part: answers.counts.tolist() for part, answers in read_answers(file, REGRESSION, ()).items()}
    assert found == {"train": [4], "test": [0.5]}
