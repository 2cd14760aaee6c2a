"""Holds the verbs of the command line, each in a file that describes it as `VERB`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from dltrain.base.errors import ConfigError
from dltrain.base.plain_arguments import plain
from dltrain.base.printable import printable_line
from dltrain.base.show import show


@dataclass(frozen=True)
class Argument:
    """One argument: its name or its flags, and how `argparse` parses it."""

    names: tuple[str, ...]  # such as `("run",)` or `("-m", "--multirun")`
    details: Mapping[str, Any]  # the keywords of `ArgumentParser.add_argument`
    signed: bool = False  # whether its value may begin with a minus, which argparse takes for a flag

    @property
    def positional(self) -> bool:
        """Whether the argument has no flag."""
        return not self.names[0].startswith("-")

    @property
    def takes_value(self) -> bool:
        """Whether a value follows its flag."""
        return not self.positional and "action" not in self.details


def argument(*names: str, signed: bool = False, **details: Any) -> Argument:
    """Describes an argument with the parameters of `ArgumentParser.add_argument`."""
    return Argument(names, details, signed)


TRUST = argument(
    "--trust",
    action="store_true",
    help="build whatever the run names, such as code of your own in a run that was trained elsewhere",
)


@dataclass(frozen=True)
class Verb:
    """Describes `dltrain NAME …`."""

    name: str  # the name of its file
    summary: str  # one line for `dltrain --help`
    description: str  # the text of `dltrain NAME --help` above the arguments
    examples: str  # the text below the arguments, with the exit codes
    # In the order of the help; at most one of the arguments in a tuple can be given
    arguments: tuple[Argument | tuple[Argument, ...], ...]
    # Takes the parsed arguments and returns the exit code. It contains the heavy imports, so that all verbs can be
    # described at once.
    function: Callable[[argparse.Namespace], int]

    def main(self, words: Sequence[str]) -> int:
        """Runs the verb with the words that follow it and returns the exit code."""
        return self.function(self.parse(words))

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Returns the values of the arguments; exits if they are invalid, and for --help."""
        return self.parser().parse_intermixed_args(self._joined(words))

    def parser(self) -> argparse.ArgumentParser:
        """Returns the parser of the words that follow the verb."""
        parser = _Parser(
            f"dltrain {self.name}", description=self.description, epilog=self.examples, formatter_class=Paragraphs
        )
        for each in self.arguments:
            place = parser.add_mutually_exclusive_group() if isinstance(each, tuple) else parser
            for one in each if isinstance(each, tuple) else (each,):
                place.add_argument(*one.names, **one.details)
        return parser

    def each_argument(self) -> Iterator[Argument]:
        """Yields the arguments, those of a tuple one by one."""
        for each in self.arguments:
            yield from each if isinstance(each, tuple) else (each,)

    def _joined(self, words: Sequence[str]) -> list[str]:
        """Returns the words, with signed values joined to their flags by `=`."""
        signed = [name for each in self.each_argument() if each.signed for name in each.names]
        joined: list[str] = []
        for word in words:
            if joined and joined[-1] in signed:
                joined[-1] += f"={word}"
            else:
                joined.append(word)
        return joined


def run_of(path: str | Path) -> Path:
    """Returns a run directory as it is, and of a sweep that of its best job, which is told on standard error."""
    from dltrain.record import winner

    run = winner.run_of(path)
    if run != Path(path):
        what = "ensemble" if run.name == winner.ENSEMBLE else "best job"
        show(f"{path} is a sweep; its {what} is used: {run}", file=sys.stderr)
    return run


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        words = plain(printable_line(message), self)
        end = "" if words.endswith("?") else "."
        raise ConfigError(f"{self.prog}: {words}{end} `{self.prog} --help` has examples.")


class Paragraphs(argparse.HelpFormatter):
    """Wraps each paragraph alone; a paragraph with an indented line, such as examples, keeps its lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = text.strip("\n").split("\n\n")
        return "\n\n".join(part if "\n " in f"\n{part}" else textwrap.fill(part, width) for part in parts)


def names() -> list[str]:
    """Returns the names of all verbs in alphabetical order, without importing them."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def verb(name: str) -> Verb:
    """Returns the description of a verb."""
    found: Verb = importlib.import_module(f"{__name__}.{name}").VERB
    return found


def listing(width: int) -> str:
    """Returns all verbs with their summaries, in lines of at most `width` characters."""
    longest = max(map(len, names()))
    return "\n".join(
        textwrap.fill(f"  {name:<{longest}}  {verb(name).summary}", width, subsequent_indent=" " * (longest + 4))
        for name in names()
    )
