"""Defines one key of a search space: what can be drawn for it, as words of a command line, and when."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, ListConfig, OmegaConf

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LENGTH = ".length"  # ends the name under which the length of a list is drawn


@dataclass(frozen=True)
class Dimension:
    """One key of a search space."""

    key: str  # dotted, as typed on a command line; or a group, whose choices are options
    choices: tuple[Any, ...] = ()  # the values of a category; empty for a number
    low: float = 0  # the least number; `high` is the greatest
    high: float = 0
    log: bool = False  # whether the logarithm of the number is drawn uniformly
    integer: bool = False  # whether only whole numbers are drawn
    # The least and greatest length of a list of equal numbers, such as the layers of `model.units`; None for a single
    # value
    length: tuple[int, int] | None = None
    # Other keys or groups with the values under which this one is drawn
    when: Mapping[str, tuple[str, ...]] | None = None

    def distributions(self) -> dict[str, BaseDistribution]:
        """Returns the distributions that Optuna draws from, by name: one, or two for a list."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.choices:
            return {self.key: CategoricalDistribution([text_of(choice) for choice in self.choices])}
        if self.integer:
            found: dict[str, BaseDistribution] = {
                self.key: IntDistribution(int(self.low), int(self.high), log=self.log)
            }
        else:
            found = {self.key: FloatDistribution(self.low, self.high, log=self.log)}
        if self.length:
            found[self.key + LENGTH] = IntDistribution(*self.length)
        return found

    def text(self, drawn: Mapping[str, Any]) -> str:
        """Returns the value as typed on a command line."""
        value = drawn[self.key]
        word = text_of(value) if self.choices else str(value) if self.integer else f"{value:.6g}"
        return f"[{','.join([word] * drawn[self.key + LENGTH])}]" if self.length else word

    def parse(self, text: str) -> dict[str, Any]:
        """Returns the drawn values from a word that `text` made.

        Raises:
            ValueError: If the word is not from this dimension.
        """
        if self.choices:
            if text not in [text_of(choice) for choice in self.choices]:
                raise ValueError(text)
            return {self.key: text}
        numbers = [float(part) for part in text.strip("[]").split(",")]
        drawn: dict[str, Any] = {self.key: int(numbers[0]) if self.integer else numbers[0]}
        if not self.low <= numbers[0] <= self.high:
            raise ValueError(text)
        return drawn | ({self.key + LENGTH: len(numbers)} if self.length else {})

    def points(self, number: int) -> list[str]:
        """Returns at most `number` values, evenly from low to high, for a grid."""
        if self.choices:
            return [text_of(choice) for choice in self.choices]
        scale: Callable[[float], float] = math.log if self.log else float
        back: Callable[[float], float] = math.exp if self.log else float
        first, last = scale(self.low), scale(self.high)
        values = [back(first + (last - first) * place / max(1, number - 1)) for place in range(number)]
        exact = [round(value) for value in values] if self.integer else values
        lengths = range(self.length[0], self.length[1] + 1) if self.length else [1]
        drawn = itertools.product(dict.fromkeys(exact), lengths)
        return [self.text({self.key: value, self.key + LENGTH: length}) for value, length in drawn]


def text_of(value: Any) -> str:
    """Returns a choice as typed on a command line: `null`, `true`, `[64,64]`."""
    if isinstance(value, (list, tuple, ListConfig)):
        return f"[{','.join(map(text_of, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def applies(dimension: Dimension, drawn: Mapping[str, str], config: DictConfig) -> bool:
    """Returns whether the conditions of a dimension hold for the words drawn so far, or else the config."""
    for key, wanted in (dimension.when or {}).items():
        chosen = config.hydra.runtime.choices.get(key)
        value = drawn.get(key, chosen if chosen is not None else text_of(OmegaConf.select(config, key)))
        if str(value) not in wanted:
            return False
    return True
