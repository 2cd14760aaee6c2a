"""The verbs of the command line: each is a file here that describes it as `VERB`, from which all else comes."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Argument:
    """One argument: its name or its flags, and what else `argparse` is told of it.

    Attributes:
        names: such as `("run",)` or `("-m", "--multirun")`.
        details: the keywords of `ArgumentParser.add_argument`.
        signed: whether its value may begin with a minus, which argparse takes for a flag.
    """

    names: tuple[str, ...]
    details: Mapping[str, Any]
    signed: bool = False

    @property
    def positional(self) -> bool:
        """Whether its place tells it from others."""
        return not self.names[0].startswith("-")

    @property
    def takes_value(self) -> bool:
        """Whether a word follows its flag."""
        return not self.positional and "action" not in self.details


def argument(*names: str, signed: bool = False, **details: Any) -> Argument:
    """Describes an argument by the words of `ArgumentParser.add_argument`."""
    return Argument(names, details, signed)


@dataclass(frozen=True)
class Verb:
    """What `dltrain NAME …` is.

    Attributes:
        name: that of its file.
        summary: one line for `dltrain --help`.
        description: what `dltrain NAME --help` says above the arguments.
        examples: what it says below them, exit codes included.
        arguments: in the order of the help; a tuple holds arguments of which one at most can be given.
        function: takes the parsed arguments, returns the exit code. It imports what is heavy itself, so that all
            verbs can be described at once.
    """

    name: str
    summary: str
    description: str
    examples: str
    arguments: tuple[Argument | tuple[Argument, ...], ...]
    function: Callable[[argparse.Namespace], int]

    def main(self, words: Sequence[str]) -> int:
        """Runs the verb with the words of the command line behind it; returns the exit code."""
        return self.function(self.parse(words))

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """The values of the arguments; exits where they do not fit, and for --help."""
        parser = argparse.ArgumentParser(
            f"dltrain {self.name}", description=self.description, epilog=self.examples, formatter_class=Paragraphs
        )
        for each in self.arguments:
            place = parser.add_mutually_exclusive_group() if isinstance(each, tuple) else parser
            for one in each if isinstance(each, tuple) else (each,):
                place.add_argument(*one.names, **one.details)
        return parser.parse_intermixed_args(self._joined(words))

    def each_argument(self) -> Iterator[Argument]:
        """The arguments, those of a choice one by one."""
        for each in self.arguments:
            yield from each if isinstance(each, tuple) else (each,)

    def _joined(self, words: Sequence[str]) -> list[str]:
        """The words, signed values joined to their flags by `=`."""
        signed = [name for each in self.each_argument() if each.signed for name in each.names]
        joined: list[str] = []
        for word in words:
            if joined and joined[-1] in signed:
                joined[-1] += f"={word}"
            else:
                joined.append(word)
        return joined


class Paragraphs(argparse.HelpFormatter):
    """Wraps each paragraph by itself; one with an indented line, such as examples, keeps its lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = text.strip("\n").split("\n\n")
        return "\n\n".join(part if "\n " in f"\n{part}" else textwrap.fill(part, width) for part in parts)


def names() -> list[str]:
    """The names of all verbs in alphabetical order: the files of this folder, none of which is imported."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def verb(name: str) -> Verb:
    """The description of a verb."""
    found: Verb = importlib.import_module(f"{__name__}.{name}").VERB
    return found


def listing(width: int) -> str:
    """All verbs with their summaries, in lines of at most so many characters."""
    longest = max(map(len, names()))
    return "\n".join(
        textwrap.fill(f"  {name:<{longest}}  {verb(name).summary}", width, subsequent_indent=" " * (longest + 4))
        for name in names()
    )
