from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dltrain.data.targets import Target
from dltrain.preprocessing import sample as module
from dltrain.preprocessing.sample import Sample

BINARY = Target("binary", np.array([1, 0], np.float32), ("no", "yes"))
MULTICLASS = Target("multiclass", np.array([2, 0], np.int32), ("a", "b", "c"))
MULTILABEL = Target("multilabel", np.array([[1, 1], [0, 0]], np.float32), ("x", "y"))
QUANTITY = Target("regression", np.array([0.5, 1234567.0], np.float32))


@pytest.fixture
def sample(make_dataset: Any) -> Any:
    def make(target: Target = QUANTITY, rows: int = 2) -> Sample:
        values = np.arange(float(rows))
        return Sample(make_dataset({"a": values}), target, {"table": values[:, None].astype(np.float32)})

    return make


@pytest.mark.parametrize(
    ("target", "answers", "words", "targets"),
    [
        (BINARY, [[0.25], [0.75]], ["no", "yes"], ["yes", "no"]),
        (MULTICLASS, [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]], ["a", "b"], ["c", "a"]),
        (MULTILABEL, [[0.25, 0.75], [0.25, 0.25]], ["y", "none"], ["x, y", "none"]),
        (QUANTITY, [[0.125], [1234567.0]], ["0.125", "1.23457e+06"], ["0.5", "1.23457e+06"]),
    ],
    ids=["binary", "multiclass", "multilabel", "regression"],
)
def test_predictions_and_targets_are_written_alike(
    sample: Any, target: Target, answers: list[list[float]], words: list[str], targets: list[str]
) -> None:
    assert sample(target).read(np.array(answers, np.float32)) == words
    assert sample(target).targets == targets


def test_each_output_is_given_for_all_rows_whatever_the_portions(sample: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 2)
    inputs = keras.Input((1,), name="table")
    model = keras.Model({"table": inputs}, [inputs * 2.0, inputs + 1.0])
    doubled, more = sample(rows=5).answers(model)
    np.testing.assert_array_equal(doubled[:, 0], [0, 2, 4, 6, 8])
    np.testing.assert_array_equal(more[:, 0], [1, 2, 3, 4, 5])
    (alone,) = sample(rows=5).answers(keras.Model({"table": inputs}, inputs * 2.0))
    np.testing.assert_array_equal(alone, doubled)
