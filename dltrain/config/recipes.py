"""Reads the recipes of `search=best`: the words that begin a job, where its search starts, and what it draws from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.config.search_dimension import Dimension, text_of
from dltrain.config.search_space import dimensions

RECIPE = "search.recipe"  # the key by which the words of a job name its recipe
OTHER = "other"  # the kind of data whose recipes serve the models that no other recipe has
WHOLE = ("experiment", "recipe")  # groups whose options choose a model with all that belongs to it

Compose = Callable[[list[str]], DictConfig]


@dataclass(frozen=True)
class Recipe:
    """One kind of job."""

    name: str
    words: tuple[str, ...]  # what all its jobs have in common, beside the words of the command line
    space: tuple[Dimension, ...]
    starts: tuple[Mapping[str, str], ...]  # the values of the first jobs, by the keys of the space

    def job(self, drawn: Mapping[str, str]) -> list[str]:
        """Returns the words of a job, which follow those of the command line."""
        return [*self.words, f"{RECIPE}={self.name}", *(f"{key}={value}" for key, value in drawn.items())]


def recipe_of(words: Sequence[str]) -> tuple[str, list[str]] | None:
    """Returns the name of the recipe of a job and the words that were drawn for it; None if it has no recipe."""
    # The last one counts, since a person may have typed it too.
    place = max((place for place, word in enumerate(words) if word.startswith(f"{RECIPE}=")), default=None)
    return None if place is None else (words[place].partition("=")[2], list(words[place + 1 :]))


def fold_rows(config: DictConfig, kind: str) -> float:
    """Returns up to how many rows jobs on data of a kind (table, text, mixed or image) are cross-validated.

    Folds of more rows would leave no time for several jobs.
    """
    return float(config.search.recipes[kind].fold_rows * config.search.minutes)


def recipes_for(config: DictConfig, kind: str, typed: Sequence[str], compose: Compose) -> list[Recipe]:
    """Returns the recipes for data of a kind that respect all typed words, those of one model if one is typed.

    `compose` returns the config of a job with these words.

    Raises:
        ConfigError: If no recipe agrees with the typed words.
    """
    given = {word.partition("=")[0].lstrip("+"): word.partition("=")[2] for word in typed}
    whole = any(given.get(key, "null") not in ("null", "none") for key in WHOLE)
    wanted = str(config.hydra.runtime.choices.get("model")) if whole else given.get("model")
    recipes = {str(name): node for name, node in config.search.recipes[kind].items() if name != "fold_rows"}
    if (only := config.search.recipe) is not None:
        if only not in recipes:
            raise ConfigError(f"{RECIPE}: no recipe for a {kind} is called '{only}'.{did_you_mean(only, recipes)}")
        recipes = {only: recipes[only]}
    if wanted is not None:
        having = {name: node for name, node in recipes.items() if f"model={wanted}" in node.words}
        recipes = having or {wanted: config.search.recipes[OTHER][OTHER]}
    found, faults = [], []
    for name, node in recipes.items():
        own = [] if whole else [word for word in node.words if word.partition("=")[0] not in given]
        try:
            found.append(_recipe(name, node, own, given, compose([*typed, *own])))
        except ConfigError as error:
            faults += error.faults
    if not found:
        raise ConfigError(list(dict.fromkeys(faults)))
    return found


def _recipe(name: str, node: DictConfig, words: Sequence[str], given: Mapping[str, str], config: DictConfig) -> Recipe:
    """Returns a recipe without the keys that are typed or that its config lacks."""
    space = [
        each
        for each in dimensions(node.space)
        if each.key not in given and OmegaConf.select(config, each.key, default=None) is not None
    ]
    starts: list[dict[str, str]] = []
    for start in node.starts:
        values = {key: value for key, _, value in (word.partition("=") for word in start)}
        of_start = {
            each.key: values[each.key] if each.key in values else text_of(OmegaConf.select(config, each.key))
            for each in space
        }
        if of_start not in starts:
            starts.append(of_start)
    return Recipe(name, tuple(words), tuple(space), tuple(starts))
