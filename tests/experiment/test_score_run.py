"""predictions.csv and what is scored; the numbers themselves are those of scoring/."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dltrain.data.split import Split
from dltrain.data.targets import Target
from dltrain.experiment.score_run import parts_to_score, prediction_table

IDS = np.array([7, 8])


def table(target: Target, answers: Any) -> dict[str, list[Any]]:
    found = prediction_table("test", IDS, target, np.array(answers, np.float32))
    assert found.pop("row_id").tolist() == [7, 8]
    assert found.pop("part").tolist() == ["test", "test"]
    return {name: found[name].tolist() for name in found}


def test_binary() -> None:
    found = table(Target("binary", np.array([0, 1], np.float32), ("no", "yes")), [[0.25], [0.75]])
    assert found == {
        "target": ["no", "yes"],
        "prediction": ["no", "yes"],
        "probability_no": [0.75, 0.25],
        "probability_yes": [0.25, 0.75],
    }


def test_multiclass() -> None:
    target = Target("multiclass", np.array([2, 0], np.int32), ("a", "b", "c"))
    found = table(target, [[0.125, 0.125, 0.75], [0.25, 0.5, 0.25]])
    assert (found["target"], found["prediction"]) == (["c", "a"], ["c", "b"])
    assert [found[f"probability_{name}"] for name in "abc"] == [[0.125, 0.25], [0.125, 0.5], [0.75, 0.25]]


def test_multilabel() -> None:
    target = Target("multilabel", np.array([[0, 1], [1, 1]], np.float32), ("x", "y"))
    found = table(target, [[0.25, 0.75], [0.75, 0.25]])
    assert list(found) == ["target_x", "prediction_x", "probability_x", "target_y", "prediction_y", "probability_y"]
    assert (found["target_y"], found["prediction_y"], found["probability_y"]) == ([1, 1], [1, 0], [0.75, 0.25])


def test_quantity_is_written_with_the_digits_of_its_64_bits() -> None:
    found = table(Target("regression", np.array([0.1, 2.0], np.float32)), [[0.5], [1.5]])
    assert found == {"target": [float(np.float32(0.1)), 2.0], "prediction": [0.5, 1.5]}


def test_no_class_is_a_formula_of_a_spreadsheet() -> None:
    found = table(Target("binary", np.array([0, 1], np.float32), ("=1+1", "b")), [[0.25], [0.75]])
    assert found["target"] == found["prediction"] == ["'=1+1", "b"]


@pytest.mark.parametrize(
    ("validation", "with_test", "parts"),
    [
        ([1], True, ["train", "validation", "test"]),
        ([1], False, ["train", "validation"]),
        ([], True, ["train", "test"]),
    ],
)
def test_test_part_is_unsealed_and_recorded_only_where_it_is_scored(
    validation: list[int], with_test: bool, parts: list[str]
) -> None:
    told: list[Any] = []
    data: Any = SimpleNamespace(
        split=Split(np.array([0]), np.array(validation, int), np.array([2])), unseal_test=lambda record: record(1)
    )
    journal: Any = SimpleNamespace(directory=SimpleNamespace(record_test_scoring=told.append))
    assert parts_to_score(data, with_test=with_test, journal=journal) == parts
    assert told == ([1] if with_test else [])
