"""Writes overrides so that Hydra's grammar reads them as they are meant."""

from __future__ import annotations

import json
import os
import re

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

from dltrain.base.shell_words import quoted

KEY = re.compile(r"(?:\+\+?|~)?[\w@$/:-]+(?:\.[\w@$/:-]+)*", re.ASCII)
# Keys in braces stand without quotes.
QUOTED_KEY = re.compile(r"""([{,]\s*)(["'])([^"':,{}]+)\2(\s*:)""")
# What the grammar takes as a key in braces, some of it behind a backslash; it makes numbers of the words of the second.
KEY_IN_BRACES = re.compile(r"[\w\-+.$%*@?|/\\,()\[\]{}:= \t]+", re.ASCII)
TYPED_KEY = re.compile(r"[+-]?[\d._]*(?:e[+-]?\d+)?|null|true|false|nan|[+-]?inf", re.IGNORECASE)
CLOSING = {"[": "]", "{": "}", '"': '"', "'": "'"}


def with_text(key: str, text: str) -> str:
    """Returns `key=text`, with the text in quotes if the grammar cannot read it otherwise."""
    return f"{key}={text}" if _reads(f"{key}={text}") else as_one_text(key, text)


def as_one_text(key: str, text: str) -> str:
    """Returns the override that sets a key to a text in quotes, whatever is in it."""
    return f"{key}={QuotedString(text, Quote.double).with_quotes()}"


def entry(key: str, name: str, value: str) -> str:
    """Returns `key={name: value}` as one is to type it, for a key that maps the names of columns to values."""
    if KEY_IN_BRACES.fullmatch(name) and not TYPED_KEY.fullmatch(name):
        name = re.sub(r"([\\,()\[\]{}:=]|^[ \t]|[ \t]$)", r"\\\1", name)
    else:
        name = json.dumps(name, ensure_ascii=False)
    return quoted(f"{key}={{{name}: {value}}}")


def of_file(path: str) -> list[str]:
    """Returns the overrides that train on a table in a file, with a word in the place of its target's column."""
    return ["dataset=csv", with_text("dataset.path", path), "dataset.target=COLUMN"]


def corrected(line: str) -> str | None:
    """Returns what was meant by an override that the grammar cannot read, or None if that cannot be known."""
    key, equals, text = line.partition("=")
    if not equals or not KEY.fullmatch(key):
        return None
    if text.startswith("~"):
        return with_text(key, os.path.expanduser(text))  # noqa: PTH111 - a path is not the only text
    if (bare := QUOTED_KEY.sub(r"\1\3\4", line)) != line:
        return bare if _reads(bare) else None
    closing = CLOSING.get(text[:1], "")
    if not closing or (not text.endswith(closing) and closing in text[1:]):
        return as_one_text(key, text)
    if text[0] == "[" and text.endswith("]"):
        items = [with_text("", item.strip())[1:] for item in text[1:-1].split(",")]
        line = f"{key}=[{','.join(items)}]"
        return line if _reads(line) else None
    return None


def why_corrected(text: str) -> str:
    """Returns the clause that says why a value was corrected."""
    if text.startswith("~"):
        return "the shell does not expand '~' here"
    return "keys in braces are written without quotes" if text.startswith("{") else f"'{text}' needs quotes"


def why_unreadable(line: str) -> str:
    """Returns a sentence about an override that the grammar cannot read and that cannot be corrected."""
    key, equals, text = line.partition("=")
    if not equals:
        return f"'{line}': expected key=value or group=option."
    if not KEY.fullmatch(key):
        return f"'{line}': expected the name of a key before the '=', got '{key}'."
    if text[:1] in CLOSING and not text.endswith(CLOSING[text[0]]):
        return f"{key}: expected '{CLOSING[text[0]]}' at the end, got '{text}'."
    return f"{key}: '{text}' is not a valid value. Put quotes around texts with brackets or commas: '{key}=\"a, b\"'."


def _reads(line: str) -> bool:
    try:
        OverridesParser.create().parse_override(line if line[0] != "=" else f"key{line}")
    except HydraException:
        return False
    return True
