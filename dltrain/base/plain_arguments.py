"""Says in plain words what `argparse` says of wrong arguments."""

from __future__ import annotations

import argparse
import re

from dltrain.base.errors import closest

TYPES = {"int": "an integer", "float": "a number", "Path": "a path"}


def plain(message: str, parser: argparse.ArgumentParser) -> str:
    """Returns a clause without `argparse`'s words, from the message and the parser that it is of."""
    for pattern, words in SENTENCES:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return words.format(*found.groups())
    if found := re.fullmatch(r"argument (\S+): invalid (\w+) value: (.*)", message, re.DOTALL):
        return f"{found[1]}: expected {TYPES.get(found[2], 'a valid value')}, got {found[3]}"
    if found := re.fullmatch(r"argument (\S+): invalid choice: (.*) \(choose from (.*)\)", message, re.DOTALL):
        choices = found[3].replace("'", "")
        near = closest(found[2].strip("'"), choices.split(", "))
        return f"{found[1]}: expected one of {choices}, got {found[2]}" + (f". Did you mean {near}?" if near else "")
    if found := re.fullmatch(r"unrecognized arguments: (\S+).*", message, re.DOTALL):
        word = found[1]
        flags = re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", parser.format_usage())
        near = closest(word.partition("=")[0], flags)
        if not word.startswith("-"):
            return f"'{word}' is one word too many"
        return f"there is no flag '{word}'" + (f". Did you mean {near}?" if near else "")
    return re.sub(r"^argument (\S+): ", r"\1: ", message)


SENTENCES = (
    (r"the following arguments are required: (.*)", "expected {0}, got nothing"),
    (r"one of the arguments (.*) is required", "expected one of {0}, got none"),
    (r"argument (\S+): expected .*", "{0}: expected a value, got none"),
    (r"argument (\S+): not allowed with argument (\S+)", "{0} and {1} exclude each other: expected one of them"),
    (r"argument (\S+): ignored explicit argument (.*)", "{0}: expected no value, got {1}"),
    (r"ambiguous option: (\S+) could match (.*)", "{0}: expected one of {1}"),
)
