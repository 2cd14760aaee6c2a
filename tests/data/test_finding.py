from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltrain.data.finding import folds, named_rows


@given(st.lists(st.integers(0, 3), min_size=3, max_size=60), st.integers(0, 99))
def test_every_row_is_held_out_once_and_classes_are_spread(target: list[int], seed: int) -> None:
    classes = np.array(target)
    held_out = folds(classes, seed)
    assert (np.sum(held_out, axis=0) == 1).all()
    for label in set(target):
        counts = [int((classes[held] == label).sum()) for held in held_out]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize(
    ("count", "words"), [(0, ""), (5, "0, 1, 2, 3, 4"), (6, "0, 1, 2, 3, 4, …"), (101, "0, 1, 2, 3, 4, …")]
)
def test_few_rows_are_shown_and_at_most_a_hundred_are_listed(count: int, words: str) -> None:
    assert named_rows(np.arange(count)) == (tuple(range(min(count, 100))), words)


def test_a_sample_is_sorted_without_repeats_and_the_same_again(make_parts: Any) -> None:
    parts = make_parts({"a": np.arange(50.0)})
    rows = parts.sample("train", 10)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert len(rows) == 10
    assert rows.tolist() == parts.sample("train", 10).tolist()
    assert parts.sample("test", 10).tolist() == list(range(10))


def test_cells_become_numbers_by_what_the_train_rows_hold(make_parts: Any) -> None:
    words = np.array(["b", "a", "b", "a", "b", "a", "b", "new", "a", "b"], dtype=object)
    numbers = np.arange(10.0)
    numbers[7] = np.nan
    pixels = np.zeros((10, 2, 2, 1), np.uint8)
    pixels[7, 0] = 8
    parts = make_parts({"number": numbers, "word": words, "image": pixels})
    matrix, names = parts.numbers("validation", np.array([1, 0]))
    assert names == ["number", "word", "image (brightness)", "image (contrast)"]
    assert matrix.tolist() == [[-1e37, -1, 4, 4], [6, 1, 0, 0]]


def test_no_rows_of_images_are_no_numbers(make_parts: Any) -> None:
    parts = make_parts({"image": np.zeros((10, 3, 3, 1), np.uint8)})
    numbers, names = parts.numbers("train", np.zeros(0, np.intp))
    assert (numbers.shape, names) == ((0, 2), ["image (brightness)", "image (contrast)"])
