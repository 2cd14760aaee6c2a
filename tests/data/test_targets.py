from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.targets import encode, infer, without_missing

ROWS = 12


@pytest.fixture
def target(make_dataset: Any) -> Any:
    """A dataset with this target."""

    def make(cells: Any, **more: Any) -> Any:
        rows = len(next(iter(cells.values())) if isinstance(cells, dict) else cells)
        return make_dataset({"a": np.arange(float(rows))}, target=cells, **more)

    return make


def words(*cells: Any) -> np.ndarray:
    return np.array(cells, dtype=object)


class TestInference:
    @pytest.mark.parametrize(
        ("cells", "task", "reason"),
        [
            (np.arange(ROWS) % 2.0, "binary", "two values, 0 and 1"),
            (np.arange(ROWS) % 2 * 3.5, "binary", "two values"),
            (words("no", "yes", "no"), "binary", "two values, no and yes"),
            (words("a", "b", "c"), "multiclass", "3 values that are not numbers"),
            (np.arange(ROWS) % 10.0, "multiclass", "10 whole numbers; task=regression"),
            (np.arange(ROWS) % 11.0, "regression", "11 different numbers"),
            (np.arange(ROWS) % 3 / 2, "regression", "3 different numbers"),
            ({"x": np.arange(ROWS) % 2.0, "y": np.arange(ROWS) % 3.0}, "multilabel", "2 target columns"),
        ],
    )
    def test_goes_by_the_values(self, target: Any, cells: Any, task: str, reason: str) -> None:
        found, why = infer(target(cells))
        assert found == task
        assert reason in why


class TestEncoding:
    def test_binary(self, target: Any) -> None:
        found = encode(target(words("yes", "no", "yes")), "binary")
        assert (found.classes, found.units, found.values.dtype) == (("no", "yes"), 1, np.float32)
        assert found.values.tolist() == [1, 0, 1]
        assert found.column.shape == (3, 1)
        assert found.strata is not None
        assert found.strata.tolist() == [1, 0, 1]

    def test_multiclass_names_whole_numbers_without_a_point(self, target: Any) -> None:
        found = encode(target([3.0, 1.0, 7.5, 1.0, 3.0, 7.5]), "multiclass")
        assert (found.classes, found.units, found.values.dtype) == (("1", "3", "7.5"), 3, np.int32)
        assert found.values.tolist() == [1, 0, 2, 0, 1, 2]

    def test_numbers_stand_in_their_own_order(self, target: Any) -> None:
        assert encode(target([10.0, 9.0, 10.0, 9.0, 2.0, 2.0]), "multiclass").classes == ("2", "9", "10")

    def test_multilabel_takes_0_and_1_in_any_writing(self, target: Any) -> None:
        found = encode(target({"x": [1.0, 0.0], "y": words("True", "False"), "z": words("0", "1")}), "multilabel")
        assert (found.classes, found.units, found.strata) == (("x", "y", "z"), 3, None)
        assert found.values.tolist() == [[1, 1, 0], [0, 0, 1]]
        assert found.column.shape == (2, 3)

    def test_regression(self, target: Any) -> None:
        found = encode(target([1.5, -2.0]), "regression")
        assert (found.values.tolist(), found.units, found.classes, found.strata) == ([1.5, -2], 1, (), None)
        assert (found.offset, found.scale) == (0, 1)

    def test_unit_regression_is_scaled_from_its_range(self, target: Any) -> None:
        found = encode(target([1.0, 10.0, 4.0], target_range=(1.0, 10.0)), "unit_regression")
        assert (found.offset, found.scale) == (1, 9)
        assert found.values.tolist() == [1, 10, 4]
        plain = encode(target([0.0, 1.0, 0.5]), "unit_regression")
        assert (plain.offset, plain.scale) == (0, 1)

    def test_scale_of_the_train_rows_alone(self, target: Any) -> None:
        found = encode(target([1.0, 3.0, 1e6]), "regression").scaled_on(np.array([0, 1]))
        assert (found.offset, found.scale) == (2, 1)

    def test_constant_train_rows_are_not_stretched(self, target: Any) -> None:
        found = encode(target([0.1, 0.1, 0.1, 1.0]), "regression").scaled_on(np.array([0, 1, 2]))
        assert found.scale == 1

    def test_take(self, target: Any) -> None:
        assert encode(target(words("b", "a", "b")), "binary").take(np.array([2, 1])).values.tolist() == [1, 0]


class TestRefusals:
    @pytest.mark.parametrize(
        ("task", "cells", "error", "message"),
        [
            (
                "binary",
                words(*"abcabc"),
                ConfigError,
                r"task=binary expects .* two classes, 'target' has 3 \(a, b, c\)\. Use task=multiclass\.$",
            ),
            ("binary", np.arange(7.0), ConfigError, r"has 7 \(0, 1, 2, 3, 4, …\)\. .* or task=regression\."),
            ("binary", np.ones(5), DataError, "has one class only, 1: there is nothing to learn"),
            ("multiclass", words("a", "a"), DataError, "has one class only, a"),
            ("multiclass", np.arange(9.0), ConfigError, "9 classes in 9 rows, .* Use task=regression"),
            ("multiclass", words(*"aabc"), ConfigError, "3 classes in 4 rows, fewer than two rows a class.$"),
            ("regression", words("dear", "cheap"), ConfigError, "'target' holds text such as 'dear'. Use task=auto"),
            ("unit_regression", words("x", "y"), ConfigError, "task=unit_regression expects a target of numbers"),
            ("regression", [1.0, np.inf], DataError, "is infinite in row 1"),
            ("regression", [2.0, 2.0], DataError, "is 2 in every row: there is nothing to learn"),
            ("regression", [1.0, 1e37], DataError, r"reaches 1e\+37, too large for 32-bit training"),
            ("unit_regression", [0.5, 1.5], ConfigError, "from 0 to 1, 'target' is 1.5 in row 1. Use task=regression"),
            ("unit_regression", [-0.1, 1.0], ConfigError, "is -0.1 in row 0"),
            (
                "regression",
                {"x": [1.0, 2.0], "y": [1.0, 2.0]},
                ConfigError,
                "one target column, .* use task=multilabel",
            ),
            ("multilabel", {"x": [0.0, 1.0], "y": [0.0, 2.0]}, ConfigError, "column 'y' has '2' in row 1"),
            ("multilabel", {"x": words("1", "maybe")}, ConfigError, "column 'x' has 'maybe' in row 1"),
        ],
    )
    def test_say_why(self, target: Any, task: str, cells: Any, error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            encode(target(cells), task)

    def test_of_a_known_range_names_it(self, target: Any) -> None:
        with pytest.raises(ConfigError, match="from 1 to 10, 'target' is 11"):
            encode(target([1.0, 11.0], target_range=(1.0, 10.0)), "unit_regression")


class TestMissing:
    def test_rows_without_a_target_are_dropped_and_counted(self, target: Any) -> None:
        kept, dropped = without_missing(target([1.0, np.nan, 0.0, np.nan]))
        assert (kept.row_ids.tolist(), dropped) == ([0, 2], 2)

    def test_words_can_be_missing_in_several_ways(self, target: Any) -> None:
        kept, dropped = without_missing(target(words("a", None, "", float("nan"), "nan")))
        assert (kept.row_ids.tolist(), dropped) == ([0, 4], 3)

    def test_one_missing_label_drops_the_row(self, target: Any) -> None:
        kept, _ = without_missing(target({"x": [1.0, np.nan, 0.0], "y": words("0", "1", None)}))
        assert kept.row_ids.tolist() == [0]
