"""Defines the space of a search: which keys are drawn, from which values, and under which condition."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.config.search_conditions import in_order
from dltrain.config.search_dimension import Dimension, applies, text_of

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution

WORDS = ("low", "high", "log", "integer", "choices", "length", "when")


def dimensions(space: DictConfig) -> list[Dimension]:
    """Returns the dimensions of a node `search.space`, each after those that its conditions depend on.

    Raises:
        ConfigError: If the space has faults; all of them are named.
    """
    faults: list[str] = []
    found = list(_walk(space, "", faults))
    if not found and not faults:
        faults.append("search.space: nothing to search. Add one, as '+search.space.model.dropout={low:0,high:0.5}'.")
    if faults:
        raise ConfigError(faults)
    return in_order(found)


def _walk(node: DictConfig, key: str, faults: list[str]) -> Iterator[Dimension]:
    leaf = any(word in node for word in ("low", "high", "choices"))
    if leaf:
        yield from _dimension(node, key, faults)
    for name in map(str, node):
        child = node[name]
        path = f"{key}.{name}" if key else name
        if isinstance(child, DictConfig) and not (leaf and name in WORDS):
            yield from _walk(child, path, faults)
        elif child is not None and not (leaf and name in WORDS):
            faults.append(
                f"search.space.{path}: expected low and high, or choices, got '{child}'.{did_you_mean(name, WORDS)}"
            )


def _dimension(node: DictConfig, key: str, faults: list[str]) -> Iterator[Dimension]:
    where = f"search.space.{key}"
    given = {word: node[word] for word in WORDS if word in node and node[word] is not None}
    conditions = given.get("when", {})
    if not isinstance(conditions, DictConfig) and conditions:
        faults.append(f"{where}.when: expected keys with their values, as {{optimizer: [adam, nadam]}}.")
        return
    flat = OmegaConf.to_container(conditions, resolve=True) if conditions else {}
    when = {
        str(name): tuple(text_of(each) for each in (value if isinstance(value, list) else [value]))
        for name, value in flat.items()  # type: ignore[union-attr]
    }
    if "choices" in given:
        if not isinstance(given["choices"], ListConfig) or not given["choices"] or set(given) - {"choices", "when"}:
            faults.append(f"{where}: expected choices as a list, and neither low nor high, beside when.")
            return
        yield Dimension(key, tuple(OmegaConf.to_container(given["choices"], resolve=True)), when=when)  # type: ignore[arg-type]
        return
    low, high, log = given.get("low"), given.get("high"), given.get("log", False)
    integer = given.get("integer", False)
    numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (low, high))
    if not numbers or not isinstance(log, bool) or not isinstance(integer, bool):
        faults.append(f"{where}: expected low and high as numbers, log and integer as true or false.")
    elif low > high or (log and low <= 0) or not math.isfinite(high - low):  # type: ignore[operator]
        faults.append(f"{where}: expected low <= high, and low above 0 with log=true, got {low} and {high}.")
    elif integer and (int(low) != low or int(high) != high):  # type: ignore[arg-type]
        faults.append(f"{where}: expected whole numbers with integer=true, got {low} and {high}.")
    else:
        length = given.get("length")
        lengths = (length.get("low"), length.get("high")) if isinstance(length, DictConfig) else (length, length)
        if length is not None and not all(isinstance(each, int) and each > 0 for each in lengths):
            faults.append(f"{where}.length: expected a whole number above 0, or low and high, got '{length}'.")
            return
        yield Dimension(
            key,
            low=float(low),  # type: ignore[arg-type]
            high=float(high),  # type: ignore[arg-type]
            log=log,
            integer=integer,
            length=None if length is None else (int(lengths[0]), int(lengths[1])),  # type: ignore[arg-type]
            when=when,
        )


def draw(trial: Trial, space: Sequence[Dimension], config: DictConfig) -> dict[str, str]:
    """Lets an Optuna trial choose a value for each key, in the order of the space."""
    words: dict[str, str] = {}
    for dimension in space:
        if applies(dimension, words, config):
            drawn = {name: _suggest(trial, name, each) for name, each in dimension.distributions().items()}
            words[dimension.key] = dimension.text(drawn)
    return words


def _suggest(trial: Trial, name: str, wanted: BaseDistribution) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(wanted, CategoricalDistribution):
        return trial.suggest_categorical(name, wanted.choices)
    if isinstance(wanted, IntDistribution):
        return trial.suggest_int(name, wanted.low, wanted.high, log=wanted.log)
    assert isinstance(wanted, FloatDistribution)
    return trial.suggest_float(name, wanted.low, wanted.high, log=wanted.log)


def grid(space: Sequence[Dimension], points: int, config: DictConfig) -> list[dict[str, str]]:
    """Returns every combination of `points` points of each number and all choices, as far as conditions hold."""
    combinations: list[dict[str, str]] = [{}]
    for dimension in space:
        combinations = [
            words | {dimension.key: text} if text is not None else words
            for words in combinations
            for text in (dimension.points(points) if applies(dimension, words, config) else [None])
        ]
    return combinations


def corners(space: Sequence[Dimension], config: DictConfig) -> Iterator[dict[str, str]]:
    """Yields the ends of each dimension alone, with those choices of others that its conditions need."""
    by_key = {dimension.key: dimension for dimension in space}
    for dimension in space:
        needed = {key: values[0] for key, values in (dimension.when or {}).items() if key in by_key}
        if applies(dimension, needed, config):
            for point in dimension.points(2):
                yield needed | {dimension.key: point}
