"""Makes text from data safe to print, since a terminal obeys control characters."""

from __future__ import annotations

import unicodedata

# Categories of control characters, separators of lines and surrogates; then characters that turn the direction of text.
DECEIVING = {"Cc", "Zl", "Zp", "Cs"}
TURNING = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), "\u200e", "\u200f", "\u061c"}


def printable(text: str) -> str:
    r"""Returns the text with every control character as its escape, such as `\x1b`; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if _harmless(character) else _escape(character) for character in text)


def printable_line(text: str) -> str:
    r"""Returns the text on one line: as `printable`, with a line break as `\n`."""
    return printable(text).replace("\n", "\\n")


def _harmless(character: str) -> bool:
    return character == "\n" or (unicodedata.category(character) not in DECEIVING and character not in TURNING)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
