"""A made column has the same cells wherever it is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.data import pattern_words
from dltrain.data.recipe import Recipe
from dltrain.data.titanic import ENGINEERED

NAMES = [
    "Braund, Mr. Owen Harris",
    "Rothes, the Countess. of (Lucy Noel Martha)",
    "Sagesser, Mlle. Emma",
    "Duff, Dr . A, Mrs. B",
    "two\nlines, Miss. Ä",
    "no title",
    ", .",
    "",
]
TITLES = ["Mr", "rare", "Miss", "rare", "Miss", "", "", ""]


@pytest.mark.parametrize("match", [None, pattern_words.match])
def test_words_are_found_and_spelled(match: Any) -> None:
    assert ENGINEERED["title"].make([NAMES], match) == TITLES
    assert ENGINEERED["deck"].make([[" c85 C87", "B", "", None]], match) == ["C", "B", "", ""]
    other = Recipe(("a",), pattern="(b+)", words={"b": "one"})
    assert other.make([["ABBA", "a b", "a", "xbb"]], match) == ["", "one", "", "BB"]


def test_numbers_are_added() -> None:
    found = ENGINEERED["family_size"].make([[1, 0.0, None], [2.0, 0, 1.0]])
    np.testing.assert_array_equal(found, [4.0, 1.0, np.nan])


@pytest.mark.parametrize(("name", "cells"), [("title", NAMES), ("deck", [" c85 C87", "É1", "", "g\n6"])])
def test_a_graph_makes_the_same_words(name: str, cells: list[str]) -> None:
    import tensorflow as tf

    from dltrain.exporting.raw_inputs import make

    recipe = ENGINEERED[name]
    made = make(recipe, {recipe.columns[0]: tf.constant(cells)[:, None]})
    assert [word.decode() for word in made.numpy()[:, 0]] == recipe.make([cells])


def test_a_graph_adds_the_same_numbers() -> None:
    import tensorflow as tf

    from dltrain.exporting.raw_inputs import make

    cells = {"sibsp": [1.0, np.nan], "parch": [2.0, 0.0]}
    inputs = {column: tf.constant(values, tf.float64)[:, None] for column, values in cells.items()}
    made = make(ENGINEERED["family_size"], inputs)
    np.testing.assert_array_equal(made[:, 0], ENGINEERED["family_size"].make(list(cells.values())))
