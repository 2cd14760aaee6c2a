"""Writes words and commands as bash and zsh take them, so that what is shown can be pasted."""

from __future__ import annotations

import re
from collections.abc import Iterable

# zsh replaces a word that begins with `=` by the path of a program, and fails on brackets that match no file.
PLAIN = re.compile(r"[\w@%+:,./-][\w@%+=:,./-]*")


def quoted(word: object) -> str:
    """Returns a word as one is to type it, in single quotes if a shell would change it."""
    text = str(word)
    return text if PLAIN.fullmatch(text) else "'" + text.replace("'", "'\\''") + "'"


def command(words: Iterable[object]) -> str:
    """Returns the command line of some words."""
    return " ".join(map(quoted, words))
