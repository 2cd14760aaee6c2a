"""text=auto takes what predicts held-out train rows best."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.config.compose import Composer
from dltrain.preprocessing.choose_text import chosen

ROWS = 240
TEXT = Composer().compose(["text=auto"]).text


def texts_of(case: str) -> tuple[Any, Any]:
    """Texts whose class shows in a word or in the end of words that are all different."""
    dice = np.random.default_rng(0)
    high = dice.integers(0, 2, ROWS)
    noise = [" ".join(dice.choice([f"word{number}" for number in range(60)], 4)) for _ in range(ROWS)]
    if case == "words":
        own = [["bad", "good"][each] for each in high]
        noise = [" ".join("".join(dice.choice(list("abcdefgh"), 5)) for _ in range(4)) for _ in range(ROWS)]
    else:
        own = ["".join(dice.choice(list("bcdfgh"), 6)) + ["ing", "oul"][each] for each in high]
    return np.array([f"{o} {n}" for o, n in zip(own, noise, strict=True)], object), high[:, None].astype(np.float32)


@pytest.mark.parametrize("case", ["words", "characters"])
def test_the_best_candidate_is_taken(make_dataset: Any, case: str) -> None:
    texts, targets = texts_of(case)
    data = make_dataset({"text": texts}, target=targets[:, 0], kinds={"text": "text"}, task="binary")
    node, notes = chosen(TEXT, data, targets, None)
    assert node == TEXT.candidates[case]
    assert notes[0].startswith(f"text {case}: ")
    weighted = chosen(TEXT, data, targets, np.ones(ROWS))[1]
    assert weighted == notes


def test_noise_is_no_reason_to_leave_words(make_dataset: Any) -> None:
    texts, _ = texts_of("words")
    for seed in range(3):
        targets = (np.random.default_rng(seed).random((ROWS, 1)) < 0.15).astype(np.float32)  # of which no text tells
        data = make_dataset({"text": texts}, target=targets[:, 0], kinds={"text": "text"}, task="binary")
        node, notes = chosen(TEXT, data, targets, None)
        assert node == TEXT.candidates.words
        assert notes[0].startswith("text words: ")


def test_an_option_that_is_no_choice_is_used_as_it_is(make_dataset: Any) -> None:
    text = Composer().compose(["text=ngrams"]).text
    data = make_dataset({"text": np.array(["a"] * 20, object)}, target=np.arange(20.0), kinds={"text": "text"})
    assert chosen(text, data, np.zeros((20, 1)), None) == (text, ())
