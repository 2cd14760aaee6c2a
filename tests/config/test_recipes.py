"""The recipes of search=best, and what a person types beside them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError
from dltrain.config.compose import Composer
from dltrain.config.recipes import OTHER, Recipe, recipe_of, recipes_for
from dltrain.config.search_space import dimensions

DATA = {
    "table": ["dataset=titanic"],
    "text": ["dataset=synthetic", "dataset.kind=text"],
    "mixed": ["dataset=synthetic", "dataset.kind=text"],
    "image": ["dataset=digits"],
}
BASE = ["search=best"]


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


def found(composer: Composer, kind: str, *typed: str) -> list[Recipe]:
    words = [*BASE, *DATA[kind], *typed]

    def compose(more: list[str]) -> DictConfig:
        return composer.compose(more)

    return recipes_for(composer.compose(words), kind, words, compose)


@pytest.mark.parametrize("kind", DATA)
def test_each_recipe_composes_and_begins_within_its_space(composer: Composer, kind: str) -> None:
    shipped = composer.compose(BASE).search.recipes[kind]
    recipes = found(composer, kind)
    assert [each.name for each in recipes] == [name for name in map(str, shipped) if name != "fold_rows"]
    for recipe in recipes:
        # No key of a space is passed over since no config of the recipe has it.
        assert [each.key for each in recipe.space] == [each.key for each in dimensions(shipped[recipe.name].space)]
        assert len(recipe.starts) == len(shipped[recipe.name].starts)
        for start in recipe.starts:
            assert {each.key for each in recipe.space} == {*start}
            for each in recipe.space:
                each.parse(start[each.key])
            composer.compose([*BASE, *DATA[kind], *recipe.job(start)])
            assert recipe_of(recipe.job(start)) == (recipe.name, [f"{key}={value}" for key, value in start.items()])


def test_a_typed_model_keeps_the_search_within_it(composer: Composer) -> None:
    assert [each.name for each in found(composer, "table", "model=tabular")] == ["tabular", "periodic"]
    (other,) = found(composer, "text", "model=text_rnn")
    assert (other.name, other.words) == ("text_rnn", ())
    assert [each.key for each in other.space] == ["optimizer.learning_rate"]
    assert other.starts == ({"optimizer.learning_rate": "0.001"},)
    assert [each.name for each in found(composer, "table", "search.recipe=mlp")] == ["mlp"]


def test_typed_keys_stay(composer: Composer) -> None:
    typed = ("optimizer=sgd", "optimizer.learning_rate=0.3", "trainer.epochs=70", "model.dropout=0.4")
    recipes = found(composer, "table", *typed)
    assert [each.name for each in recipes] == ["tabular", "neighbors", "periodic", "mlp"]  # linear has no dropout
    keys = {word.partition("=")[0] for word in typed}
    for recipe in recipes:
        assert not keys & {word.partition("=")[0] for word in recipe.job(recipe.starts[0])}
        own = ["model.dimension", "model.numeric_embedding"] if recipe.name == "neighbors" else ["model.units"]
        assert [each.key for each in recipe.space] == own
        config = composer.compose([*BASE, *typed, *recipe.job(recipe.starts[0])])
        assert (config.optimizer.learning_rate, config.trainer.epochs, config.model.dropout) == (0.3, 70, 0.4)


@pytest.mark.parametrize("word", ["experiment=tabular", "recipe=tabular"])
def test_an_experiment_stays_as_it_is(composer: Composer, word: str) -> None:
    for recipe in found(composer, "table", word):
        config = composer.compose([*BASE, word, *recipe.job(recipe.starts[0])])
        assert config.trainer.epochs == composer.compose(["experiment=tabular"]).trainer.epochs
        assert recipe.words == ()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["search.recipe=tabluar"], "Did you mean 'tabular'"),
        (["model.units=[4]", "model=linear"], "units"),
    ],
)
def test_what_no_recipe_can_follow_is_told(composer: Composer, typed: list[str], told: str) -> None:
    config = composer.compose(BASE)
    if typed[0].startswith("search"):
        OmegaConf.update(config, *typed[0].split("="))
    compose: Callable[[list[str]], DictConfig] = composer.compose
    with pytest.raises(ConfigError, match=told):
        recipes_for(config, "table", [*BASE, *typed], compose)


GOOD = {
    "words": ["model=mlp"],
    "starts": [["model.dropout=0.1"]],
    "space": {"model": {"dropout": {"low": 0, "high": 0.5}}},
}


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("mlp", "mine: expected words, starts and space, got 'mlp'"),
        ({"words": []}, "mine: expected words, starts and space, got no starts and no space"),
        (GOOD | {"word": []}, "mine.word: a recipe has no such part. Did you mean 'words'?"),
        (GOOD | {"words": "model=mlp"}, "mine.words: expected a list of words"),
        (GOOD | {"words": ["model=mpl"]}, "mine.words: model: there is no option"),
        (GOOD | {"starts": []}, r"mine.starts[0]: expected a list of words"),
        (GOOD | {"starts": ["model.dropout=0.1"]}, r"mine.starts[0]: expected a list of words"),
        (GOOD | {"starts": [["model.droput=0.1"]]}, "'model.droput' is not in the space of the recipe. Did you mean"),
        (
            GOOD | {"starts": [["model.dropout=0.9"]]},
            "expected a value of search.recipes.table.mine.space.model.dropout",
        ),
        (
            GOOD | {"space": {"model": {"dropout": {"low": 1, "high": 0}}}},
            "mine.space.model.dropout: expected low <= high",
        ),
        (GOOD | {"space": [1]}, "mine.space: expected keys"),
        (
            GOOD | {"starts": [[]], "space": {"model": {"droput": {"low": 0, "high": 0.5}}}},
            "mine.space.model.droput: the words of the recipe give no such setting",
        ),
    ],
)
def test_a_malformed_recipe_is_refused_by_its_key(composer: Composer, recipe: object, told: str) -> None:
    config = composer.compose(BASE)
    OmegaConf.update(config, "search.recipes.table", {"fold_rows": 2000, "mine": recipe}, merge=False, force_add=True)
    with pytest.raises(ConfigError) as caught:
        recipes_for(config, "table", BASE, composer.compose)
    assert told in str(caught.value)
    assert str(caught.value).startswith("search.recipes.table.mine")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["search.minutes=0"], "search.minutes: expected a number above 0"),
        (["search.minutes=soon"], "search.minutes"),
        (["search.minutes=null"], "search.minutes: expected a number above 0, got null"),
        (["search.objectives=[val_loss,val_auc]"], "search=best goes by one"),
        (["search.objectives=[parameters]"], "goes by a validation metric"),
        (["score_test=always"], "the ensemble alone scores the test part"),
        (["seeds=3"], "Use seeds=1"),
        (["+search.space.model.dropout={low:0,high:1}"], "search.space has no effect"),
        (["split=no_test", "split.validation=null"], "chooses by validation rows or folds"),
        (["search.members=0"], "search.members"),
    ],
)
def test_faults_are_named_before_anything_runs(composer: Composer, words: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        composer.compose_sweep([*BASE, *words])
    assert told in str(caught.value)
    assert OTHER in composer.compose(BASE).search.recipes
