"""What stands for model=auto, by the kinds of the columns and the keys that are set."""

from __future__ import annotations

import pytest

from dltrain.base.errors import ConfigError
from dltrain.config.auto_model import READERS, WIDE, Rows, choose
from dltrain.config.compose import Composer, conf_directory

KEYS = {model: set(Composer().compose([f"model={model}", "dataset=synthetic", *words]).model)
        for models in READERS.values() for model in models
        for words in [["scaling=none"] if model == "efficientnet" else ["text=sequence"]]}  # fmt: skip


@pytest.mark.parametrize(
    ("kinds", "keys", "groups", "word"),
    [
        (["numeric", "category", "date"], [], [], "recipe=tabular"),
        (["text"], [], ["trainer.epochs"], "recipe=text"),
        (["text", "text"], [], [], "recipe=text"),
        (["text", "numeric"], [], [], "recipe=mixed"),
        (["image"], [], [], "recipe=image"),
        (["numeric"], ["units"], [], "recipe=tabular"),
        (["numeric"], ["normalization_position"], [], "model=mlp"),
        (["text"], ["units"], [], "model=text_bag"),
        (["text"], ["heads"], [], "model=text_transformer"),
        (["image"], ["variant"], [], "model=efficientnet"),
        (["numeric"], [], ["optimizer"], "model=tabular"),
        (["numeric"] * (WIDE + 1), [], [], "model=mlp"),
    ],
)
def test_the_recipe_fits_the_kinds_and_the_keys(
    kinds: list[str], keys: list[str], groups: list[str], word: str
) -> None:
    columns = {f"column_{place}": kind for place, kind in enumerate(kinds)}
    found = choose(Rows(300, columns, (8, 8, 1)), keys, groups, KEYS.__getitem__)
    assert found.word == word
    assert found.sentence.startswith(f"model {found.model}: the data are 300 rows")


def test_a_key_that_no_such_model_has_is_refused_with_one_that_has_it() -> None:
    with pytest.raises(ConfigError, match=r"model\.kernel_size: no model for 9 rows, 1 column of numbers.*model=cnn"):
        choose(Rows(9, {"x": "numeric"}), ["kernel_size"], [], KEYS.__getitem__)


def test_each_recipe_has_a_file_and_takes_the_first_of_its_models() -> None:
    assert {file.stem for file in (conf_directory() / "recipe").glob("*.yaml")} == {"none", *READERS}
    composer = Composer()
    for recipe, models in READERS.items():
        chosen = composer.options([f"recipe={recipe}"])
        assert chosen is not None
        assert chosen.hydra.runtime.choices.model == models[0]
