from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltrain.config.tasks import TASKS
from dltrain.data.answers import name_answers


@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0, 1))
def test_the_second_of_two_classes_is_predicted_above_the_threshold_alone(outputs: list[float], limit: float) -> None:
    columns: Any = name_answers(TASKS["binary"], ("no", "yes"), np.array(outputs)[:, None], limit)
    assert list(columns) == ["prediction", "probability_no", "probability_yes"]
    assert columns["prediction"].tolist() == ["yes" if output > limit else "no" for output in outputs]
    assert columns["probability_no"] + columns["probability_yes"] == pytest.approx(np.ones(len(outputs)))


def test_the_most_probable_of_several_classes_is_predicted_whatever_the_threshold() -> None:
    outputs = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    columns = name_answers(TASKS["multiclass"], ("a", "b", "c"), outputs, 0.9)
    assert columns["prediction"].tolist() == ["c", "a"]
    assert [columns[f"probability_{name}"].tolist() for name in "abc"] == outputs.T.tolist()


def test_each_label_is_predicted_by_itself() -> None:
    columns = name_answers(TASKS["multilabel"], ("red", "round"), np.array([[0.9, 0.4], [0.8, 0.7]]), 0.5)
    assert list(columns) == ["prediction_red", "probability_red", "prediction_round", "probability_round"]
    assert columns["prediction_red"].tolist() == [1, 1]
    assert columns["prediction_round"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("task", "names"),
    [("regression", ["prediction"]), ("gaussian_regression", ["prediction", "standard_deviation"])],
)
def test_a_quantity_has_a_column_for_each_unit(task: str, names: list[str]) -> None:
    outputs = np.array([[3.0, 0.5], [-1.0, 0.25]])[:, : len(names)]
    columns = name_answers(TASKS[task], (), outputs, 0.5)
    assert {name: values.tolist() for name, values in columns.items()} == dict(
        zip(names, outputs.T.tolist(), strict=True)
    )
