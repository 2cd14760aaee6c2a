from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from dltrain.data.recipe import Recipe
from dltrain.exporting.raw_inputs import make

NAMES = ["Braund, Mr. Owen", "Heikkinen, Miss. Laina", "Bonnell,\nMS. A. Mr. B", "no title", "", "ä, mme. Ö"]
TITLE = r"([A-Za-z]+)\."


@pytest.mark.parametrize("other", [None, "OTHER"])
def test_a_graph_makes_the_same_words_as_python(other: str | None) -> None:
    recipe = Recipe(("name",), TITLE, {"ms": "MISS", "miss": "MISS", "mme": "MRS"}, other)
    found = make(recipe, {"name": tf.constant([[name] for name in NAMES])})
    assert [cell.decode() for cell in found.numpy().ravel()] == recipe.make([NAMES])


def test_a_graph_adds_the_same_numbers_as_python() -> None:
    recipe = Recipe(("a", "b"), plus=1)
    cells = [[1.0, 0.1, float("nan")], [2.0, 0.2, 3.0]]
    found = make(recipe, {name: tf.constant(np.array(each)[:, None]) for name, each in zip("ab", cells, strict=True)})
    np.testing.assert_array_equal(found.numpy().ravel(), recipe.make(cells))
