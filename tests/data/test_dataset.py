from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import DataError
from dltrain.data.dataset import Dataset


@pytest.fixture
def small(make_dataset: Any) -> Dataset:
    words = np.array(["x", "y", "", "x"], dtype=object)
    marked = np.array([False, False, True, True])
    dataset: Dataset = make_dataset({"a": [0.0, 1.0, 2.0, 3.0], "b": words}, test_rows=marked)
    return dataset


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kinds": {"a": "numeric"}}, r"columns \['a', 'b'\] and kinds \['a'\] differ"),
        ({"columns": {}, "kinds": {}}, "no feature column is left"),
        ({"target": {"t": np.zeros(3)}}, "column 't' has 3 rows, expected 4"),
        ({"other_columns": {"group": np.zeros(5)}}, "column 'group' has 5 rows, expected 4"),
    ],
)
def test_columns_that_do_not_fit_together_are_refused(small: Dataset, change: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        replace(small, **change)


def test_taken_rows_keep_all_that_belongs_to_them(small: Dataset) -> None:
    taken = small.take(np.array([3, 0]))
    assert len(taken) == 2
    assert taken.columns["a"].tolist() == [3.0, 0.0]
    assert taken.columns["b"].tolist() == ["x", "x"]
    assert taken.row_ids.tolist() == [3, 0]
    assert taken.target["target"].tolist() == [1.0, 0.0]
    assert taken.test_rows is not None
    assert taken.test_rows.tolist() == [True, False]


def test_the_hash_is_that_of_the_content_whatever_the_order_of_columns(small: Dataset) -> None:
    turned = replace(small, columns=dict(reversed(small.columns.items())), name="other", source="elsewhere")
    assert turned.sha256() == small.sha256()


@pytest.mark.parametrize(
    "change",
    [
        {"columns": {"a": np.array([0.0, 1.0, 2.0, 4.0]), "b": np.array(["x", "y", "", "x"], dtype=object)}},
        {"columns": {"a": np.arange(4.0), "b": np.array(["x", "", "y", "x"], dtype=object)}},
        {"kinds": {"a": "numeric", "b": "text"}},
        {"target": {"target": np.ones(4)}},
    ],
)
def test_the_hash_changes_with_a_cell_a_kind_or_a_target(small: Dataset, change: Any) -> None:
    assert replace(small, **change).sha256() != small.sha256()
