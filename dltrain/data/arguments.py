"""Says what is wrong with the arguments of made-up data, a sentence for each."""

from __future__ import annotations

from collections.abc import Sequence

from dltrain.base.errors import did_you_mean


def not_among(key: str, value: object, choices: Sequence[str]) -> list[str]:
    """Returns a sentence unless the value is one of the choices."""
    return [] if value in choices else [f"dataset.{key}={value}: no such {key}.{did_you_mean(str(value), choices)}"]


def not_whole(key: str, value: object, *, least: int) -> list[str]:
    """Returns a sentence unless the value is a whole number of `least` or more."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return []
    return [f"dataset.{key}={value}: expected a whole number, {least} or more."]


def not_within(key: str, value: object, *, most: float) -> list[str]:
    """Returns a sentence unless the value is a number from 0 to `most`."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most:
        return []
    return [f"dataset.{key}={value}: expected a number from 0 to {most:g}."]
