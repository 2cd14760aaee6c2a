from __future__ import annotations

import numpy as np
import pytest

from dltrain.base.errors import DataError
from dltrain.data import row_view as taken
from dltrain.data.dataset import Dataset
from dltrain.data.row_view import RowView

COLUMNS = {"x": np.arange(6.0), "word": np.array(list("abcdef"), dtype=object)}
FIRST, THEN = np.array([5, 3, 1, 0]), np.array([2, 0])


def made(rows: int = 6) -> Dataset:
    target = {"y": np.arange(float(rows))}
    return Dataset("made", COLUMNS, {"x": "numeric", "word": "category"}, target, np.arange(rows), "made here")


def test_few_rows_are_copied_at_once() -> None:
    assert not isinstance(made().take(FIRST).columns, RowView)


def test_many_rows_are_copied_a_column_at_a_time_and_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    few = made().take(FIRST).take(THEN)
    monkeypatch.setattr(taken, "AT_ONCE", 0)
    many = made().take(FIRST).take(THEN)
    assert isinstance(many.columns, RowView)
    assert many.columns.columns is COLUMNS  # one choice of rows out of all of them
    assert many.sha256() == few.sha256()
    assert list(many.columns["word"]) == list(few.columns["word"]) == ["b", "f"]
    assert len(many) == 2


def test_columns_of_another_length_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="column 'x' has 6 rows, expected 5"):
        made(5)
    monkeypatch.setattr(taken, "AT_ONCE", 0)
    assert taken.lengths(taken.take(COLUMNS, FIRST)) == {"x": 4, "word": 4}
