"""Turns Python arguments into overrides as one would type them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString

from dltrain.base.errors import ConfigError

# Words that Hydra reads as they are; all others are quoted, so that they stay one text.
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
NOT_TEXT = ("true", "false", "null", "nan", "inf", "on", "off", "yes", "no")


def words_of(words: Sequence[Any], settings: Mapping[str, Any], *, sweep: bool = False) -> list[str]:
    """Returns the overrides of a call: `words` as they are, then a word for each of the settings.

    A double underscore in the name of a setting stands for the dot of a key: `trainer__epochs=3` is `trainer.epochs=3`.
    In a `sweep` a list holds the values that are tried.

    Raises:
        ConfigError: If a word is a flag, or a value has no form in YAML.
    """
    faults = []
    for word in words:
        if not isinstance(word, str):
            faults.append(f"Expected overrides such as 'optimizer=adam', got {type(word).__name__}.")
        elif word in ("-m", "--multirun"):
            faults.append(f"'{word}': expected overrides. Call dltrain.sweep for several jobs.")
        elif word.startswith("-"):
            faults.append(f"'{word}' is a flag of the command, expected an override; config_dir=… is --config-dir.")
    if faults:
        raise ConfigError(faults)
    return [*words, *(_word(name.replace("__", "."), value, sweep=sweep) for name, value in settings.items())]


def _word(key: str, value: Any, *, sweep: bool) -> str:
    if sweep and isinstance(value, (list, tuple)):
        return f"{key}={','.join(value_word(each, key) for each in value)}"
    # What a mapping adds, such as the kind of a column, need not be there before.
    return f"{'++' if isinstance(value, Mapping) else ''}{key}={value_word(value, key)}"


def value_word(value: Any, key: str) -> str:
    """Returns a value as one would type it; `key` names it in an error."""
    if hasattr(value, "item") and not getattr(value, "shape", ()):  # a number of NumPy
        value = value.item()
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (str, Path)):
        text = str(value)
        if PLAIN.fullmatch(text) and text.lower() not in NOT_TEXT:
            return text
        return QuotedString(text, Quote.single).with_quotes()
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{name}:{value_word(each, key)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(value_word(each, key) for each in value) + "]"
    raise ConfigError(
        f"{key}: expected a number, a text, true or false, None, or a list or mapping of these, got "
        f"{type(value).__name__}."
    )
