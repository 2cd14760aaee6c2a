"""Reads the recipes of `search=best`: the words that begin a job, where its search starts, and what it draws from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.config.fingerprint import group_of
from dltrain.config.search_dimension import Dimension, text_of
from dltrain.config.search_space import dimensions

RECIPES = "search.recipes"
RECIPE = "search.recipe"  # the key by which the words of a job name its recipe
OTHER = "other"  # the kind of data whose recipes serve the models that no other recipe has
WHOLE = ("experiment", "recipe")  # groups whose options choose a model with all that belongs to it
PARTS = ("words", "starts", "space")  # of a recipe

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
        ConfigError: If no recipe agrees with the typed words, or one of them is malformed or fails by itself.
    """
    given = {word.partition("=")[0].lstrip("+"): word.partition("=")[2] for word in typed}
    whole = any(given.get(key, "null") not in ("null", "none") for key in WHOLE)
    wanted = str(config.hydra.runtime.choices.get("model")) if whole else given.get("model")
    recipes = {str(name): node for name, node in config.search.recipes[kind].items() if name != "fold_rows"}
    if (only := config.search.recipe) is not None:
        if only not in recipes:
            raise ConfigError(f"{RECIPE}: no recipe for a {kind} is called '{only}'.{did_you_mean(only, recipes)}")
        recipes = {only: recipes[only]}
    if malformed := [fault for name, node in recipes.items() for fault in _faults(f"{RECIPES}.{kind}.{name}", node)]:
        raise ConfigError(malformed)
    if wanted is not None:
        having = {name: node for name, node in recipes.items() if f"model={wanted}" in node.words}
        recipes = having or {wanted: config.search.recipes[OTHER][OTHER]}
    found, faults = [], []
    for name, node in recipes.items():
        own = [] if whole else [word for word in node.words if word.partition("=")[0] not in given]
        try:
            composed = compose([*typed, *own])
        except ConfigError as error:
            _alone(kind, name, node, typed, compose)
            faults += error.faults
            continue
        recipe = _recipe(name, node, own, given, composed)
        if {each.key for each in dimensions(node.space)} - {each.key for each in recipe.space} - set(given):
            _alone(kind, name, node, typed, compose)
        found.append(recipe)
    if not found:
        raise ConfigError(list(dict.fromkeys(faults)))
    return found


def _faults(where: str, node: Any) -> Iterator[str]:
    """Yields a sentence for each part of a recipe at the key `where` that is missing or cannot be read."""
    if not isinstance(node, DictConfig) or (missing := [part for part in PARTS if part not in node]):
        got = f"no {' and no '.join(missing)}" if isinstance(node, DictConfig) else f"'{node}'"
        yield f"{where}: expected words, starts and space, got {got}."
        return
    if other := [name for name in map(str, node) if name not in PARTS]:
        yield f"{where}.{other[0]}: a recipe has no such part.{did_you_mean(other[0], PARTS)}"
    starts: list[Any] = list(node.starts) if isinstance(node.starts, ListConfig) and node.starts else [None]
    for part, words in [("words", node.words), *((f"starts[{place}]", start) for place, start in enumerate(starts))]:
        if not isinstance(words, ListConfig) or not all(isinstance(word, str) and "=" in word for word in words):
            yield f"{where}.{part}: expected a list of words such as [optimizer.learning_rate=0.01], got '{words}'."
            return
    if not isinstance(node.space, DictConfig):
        yield f"{where}.space: expected keys with low and high, or choices, got '{node.space}'."
        return
    try:
        space = {each.key: each for each in dimensions(node.space)}
    except ConfigError as error:
        yield from (fault.replace("search.space", f"{where}.space", 1) for fault in error.faults)
        return
    for place, start in enumerate(starts):
        for key, _, value in (str(word).partition("=") for word in start or ()):
            if key not in space:
                yield f"{where}.starts[{place}]: '{key}' is not in the space of the recipe.{did_you_mean(key, space)}"
                continue
            try:
                space[key].parse(value)
            except ValueError:
                yield f"{where}.starts[{place}]: expected a value of {where}.space.{key}, got '{value}'."


def _alone(kind: str, name: str, node: DictConfig, typed: Sequence[str], compose: Compose) -> None:
    """Refuses a recipe that fails, or whose space has an unknown key, beside no typed words but those of the data."""
    where = f"{RECIPES}.{kind}.{name}"
    try:
        config = compose([*(word for word in typed if group_of(word) == "dataset"), *node.words])
    except ConfigError as error:
        raise ConfigError([f"{where}.words: {fault}" for fault in error.faults]) from error
    for each in dimensions(node.space):
        if OmegaConf.select(config, each.key, default=None) is None:
            raise ConfigError(f"{where}.space.{each.key}: the words of the recipe give no such setting, or null.")


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
