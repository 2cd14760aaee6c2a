from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dltrain.base.errors import DataError
from dltrain.inference.evaluate import Evaluation, encode_target, group_rows
from dltrain.inference.rows import RawRows
from dltrain.record.signature import Signature


def rows(**columns: list[object]) -> RawRows:
    return RawRows({name: pa.array(cells) for name, cells in columns.items()}, 0, "rows.csv")


def test_classes_get_the_numbers_of_the_training_and_missing_ones_are_marked() -> None:
    signature = Signature((), ("kind",), "multiclass", ("a", "b", "c"))
    values, present = encode_target(signature, rows(Kind=["c", None, "a", ""]))
    assert present.tolist() == [True, False, True, False]
    assert values[present].tolist() == [2, 0]
    assert values.dtype == np.int32


def test_labels_have_a_column_each_and_a_row_lacks_them_if_one_is_missing() -> None:
    signature = Signature((), ("x", "y"), "multilabel", ("x", "y"))
    values, present = encode_target(signature, rows(x=["1", "0", "True"], y=["0", None, "False"]))
    assert present.tolist() == [True, False, True]
    assert values[present].tolist() == [[1, 0], [1, 0]]


def test_amounts_keep_their_unit() -> None:
    values, present = encode_target(Signature((), ("price",), "regression", scale=10), rows(price=[2.5, None]))
    assert (values[0], present.tolist()) == (2.5, [True, False])


def test_an_unknown_class_and_a_missing_column_name_the_nearest() -> None:
    signature = Signature((), ("kind",), "binary", ("cat", "dog"))
    with pytest.raises(DataError, match=r"rows.csv row 2: the target 'kind' is 'dogs'.*dog"):
        encode_target(signature, rows(kind=["cat", "dogs"]))
    with pytest.raises(DataError, match=r"no column 'kind' \(the target\).*kinds"):
        encode_target(signature, rows(kinds=["cat"]))


def test_a_table_has_all_rows_first_and_then_each_group() -> None:
    score = {"auc": {"value": 0.5, "low": 0.25, "high": 0.75}}
    whole = Evaluation(9, score, {"x": {"rows": 4, "metrics": score}}, "kind", ("a note",), None)
    assert [(row["group"], row["rows"], row["metric"], row["low"]) for row in whole.as_table()] == [
        ("", 9, "auc", 0.25),
        ("x", 4, "auc", 0.25),
    ]
    assert whole.as_json()["by"] == "kind"
    assert "by" not in Evaluation(9, score, {}, None, (), 0).as_json()


@pytest.mark.parametrize("first", [20230101, 1_700_000_000, 0.5])
def test_quarters_of_numbers_that_differ_in_the_last_digits_stay_apart(first: float) -> None:
    step = 1e-9 if first < 1 else 1
    found = group_rows([str(first + step * number) for number in range(40)], [], "day")
    assert [len(rows) for rows in found.values()] == [10, 10, 10, 10]
