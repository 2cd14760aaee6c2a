"""Makes text from data safe to print, since a terminal obeys control characters."""

from __future__ import annotations

import re

# Control characters but the line break, separators of lines, surrogates, and what turns the direction of text.
DECEIVING = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]"
)


def printable(text: str) -> str:
    r"""Returns the text with every control character as its escape, such as `\x1b`; line breaks stay."""
    return DECEIVING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def printable_line(text: str) -> str:
    r"""Returns the text on one line: as `printable`, with a line break as `\n`."""
    return printable(text).replace("\n", "\\n")


def printable_json(text: str) -> str:
    r"""Returns JSON of the same value, with control characters inside of its texts as `\u001b`."""
    return DECEIVING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
