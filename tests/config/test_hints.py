from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest

from dltrain.config.hints import accepts, describe, mismatch

WORD = Literal["auto", "none"]


@pytest.mark.parametrize(
    ("hint", "fits", "fails"),
    [
        (int, [1, -2], [1.0, True, "1", None]),
        (float, [1, 0.5], [True, "1", None]),
        (bool, [True], [0, "true"]),
        (str, [""], [1, None]),
        (int | None, [1, None], ["1"]),
        (WORD, ["auto"], ["Auto", True]),
        (Literal[True, "auto"], [True, "auto"], [1, "true"]),
        (list[int], [[], [1]], [[1.5], 1, (1,)]),
        (dict[str, int], [{}], [[]]),
        (Annotated[int, "a seed"], [1], ["a"]),
        (Any, [None, [], "a"], []),
        (None, [None], [0]),
    ],
    ids=str,
)
def test_what_a_hint_accepts(hint: Any, fits: list[Any], fails: list[Any]) -> None:
    assert all(accepts(hint, value) for value in fits)
    assert not any(accepts(hint, value) for value in fails)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int | None, "an integer or null"),
        (WORD, "one of auto, none"),
        (Literal["a"], "a"),
        (list[float], "a list (each item: a number)"),
        (list[Any], "a list"),
        (Annotated[int, "a seed"], "a seed"),
        (dict[str, int], "a mapping"),
        (int | float | int, "an integer or a number"),
    ],
    ids=str,
)
def test_hints_in_words(hint: Any, words: str) -> None:
    assert describe(hint) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("autp", "expected one of auto, none, got the text 'autp'. Did you mean 'auto'?"),
        (None, "expected one of auto, none, got null. Did you mean 'none'?"),
        (True, "expected one of auto, none, got true."),
    ],
)
def test_value_that_does_not_fit_is_told_with_the_nearest(value: Any, words: str) -> None:
    assert mismatch(WORD, value) == words
