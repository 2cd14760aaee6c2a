from __future__ import annotations

import numpy as np
import pytest

from dltrain.preprocessing.categories import MANY, frequent_words, lookup_of

COMMON = [f"w{place:02}" for place in range(MANY) for _ in range(place + 2)]
CELLS = np.array([*COMMON, "once", "", ""], dtype=object)


@pytest.mark.parametrize(
    ("minimum_count", "most", "kept", "others"),
    [
        (1, None, MANY + 1, 0),  # as versions without a limit did
        (1, 1000, MANY, 1),
        (1, 3, 3, 18 * 19 // 2 + 17),
        (4, 1000, MANY - 2, 6),
    ],
)
def test_frequent_words_are_kept_and_the_others_told(minimum_count: int, most: int, kept: int, others: int) -> None:
    words, notes = frequent_words("make", CELLS, minimum_count, most)
    assert len(words) == kept
    assert words == sorted(words)
    assert f"w{MANY - 1}" in words
    if not others:
        assert notes == []
        return
    (note,) = notes
    assert note.startswith(f"make: {kept} of {MANY + 1} categories are told apart")
    rows = int((~np.isin(CELLS, [*words, ""])).sum())
    assert f"in {rows} of {len(CELLS)} train rows" in note


def test_word_of_one_row_counts_in_a_column_of_few_words() -> None:
    assert frequent_words("sex", np.array(["f", "f", "m"], dtype=object), 1, 1000) == (["f", "m"], [])


def test_words_of_equal_count_are_chosen_by_alphabet_whatever_the_order_of_rows() -> None:
    cells = np.array(["b", "a", "c", "c"] * 2, dtype=object)
    assert frequent_words("x", cells, 1, 2)[0] == frequent_words("x", cells[::-1], 1, 2)[0] == ["a", "c"]


def test_ids_begin_after_those_of_missing_and_unknown_words() -> None:
    ids = lookup_of(["a", "b"])(np.array(["", "z", "a", "b"]))
    np.testing.assert_array_equal(ids, [0, 1, 2, 3])
    np.testing.assert_array_equal(lookup_of([])(np.array(["", "z"])), [0, 1])
