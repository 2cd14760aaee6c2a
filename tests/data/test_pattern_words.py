"""Patterns of strangers match in linear time or are refused."""

from __future__ import annotations

import pytest

from dltrain.base.errors import DataError
from dltrain.data import pattern_words
from dltrain.data.titanic import ENGINEERED


@pytest.mark.parametrize(
    ("pattern", "cell"), [(r"^(a|aa)+$", "a" * 200 + "b"), (ENGINEERED["title"].pattern, "," + " " * 1_000_000)]
)
def test_no_pattern_and_no_cell_takes_forever(pattern: str, cell: str) -> None:
    assert pattern_words.match(pattern, [cell]) == [None]


@pytest.mark.parametrize("pattern", [r"(a)\1", "a(?=b)(c)", "(", "no group", "((a{500}){500})"])
def test_a_pattern_that_re2_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(DataError, match="of a made column cannot be used"):
        pattern_words.match(pattern, ["text"])
