"""Implements `dltrain course`, which lists the chapters of the course with their commands, or prints one of them."""

from __future__ import annotations

import argparse
import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dltrain.base.errors import ConfigError
from dltrain.base.plain_table import say
from dltrain.base.show import show
from dltrain.verbs import Verb, argument

DESCRIPTION = """\
Lists the chapters of the course with the command of each idea; with the number or the name of a chapter prints it: what
to type, what to look for, and an exercise. The pictures are those of the reports that the commands write.
"""
EXAMPLES = """\
examples:
  dltrain course
  dltrain course 3

exit codes: 0 done, 2 usage error, or there is no such chapter.
"""
CODE = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")


@dataclass(frozen=True)
class Section:
    """Holds a section of a chapter: one idea."""

    title: str
    text: str  # Markdown, without the title

    @property
    def commands(self) -> list[str]:
        """The commands of its blocks, each in one line."""
        return [line for block in CODE.findall(self.text) for line in re.sub(r"\\\n\s*", "", block).splitlines()]

    @property
    def pictures(self) -> list[tuple[str, str]]:
        """The alternative text and the link of each picture."""
        return PICTURE.findall(self.text)

    @property
    def experiments(self) -> dict[str, list[str]]:
        """The words of the command of each of its experiments, by the experiment's name."""
        every = [shlex.split(line)[1:] for line in self.commands if line.startswith("dltrain ")]
        return {
            word.removeprefix("experiment="): words
            for words in every
            for word in words
            if word.startswith("experiment=")
        }


@dataclass(frozen=True)
class Chapter:
    """Holds a page of the course."""

    path: Path

    @cached_property
    def text(self) -> str:
        """The Markdown of the page."""
        return self.path.read_text("utf-8")

    @property
    def name(self) -> str:
        """What is typed for it: the number of a chapter, or the name of a laboratory's data."""
        number, _, name = self.path.stem.partition("_")
        return number if number.isdecimal() else name

    @property
    def title(self) -> str:
        """The title of the page, with the chapter's number."""
        return self.text.partition("\n")[0].removeprefix("# ")

    @property
    def sections(self) -> list[Section]:
        """Its sections in their order."""
        return [Section(*part.split("\n", 1)) for part in re.split(r"^## ", self.text, flags=re.MULTILINE)[1:]]


def course_directory() -> Path:
    """Returns the folder of the course's pages: the wheel's copy, else the one of the checkout."""
    package = Path(__file__).parents[1]
    return package / "course" if (package / "course").is_dir() else package.parent / "docs" / "course"


def chapters() -> list[Chapter]:
    """Returns the chapters in their order, then the laboratories."""
    return [Chapter(path) for path in sorted(course_directory().glob("*_*.md"))]


def _run(given: argparse.Namespace) -> int:
    if given.chapter is None:
        for chapter in chapters():
            show(chapter.title)
            for section in chapter.sections:
                say(f"  {section.title}", indent=2)
                for command in section.commands:
                    show(f"    {command}")
            show()
        say("`dltrain course 3` prints the third chapter.")
        return 0
    found = {chapter.name: chapter for chapter in chapters()}
    if given.chapter not in found:
        raise ConfigError(f"There is no chapter '{given.chapter}': expected one of {', '.join(found)}.")
    show(PICTURE.sub(r"[Picture: \1]", found[given.chapter].text), end="")
    return 0


VERB = Verb(
    name="course",
    summary="Lists the chapters of the course with their commands, or prints one.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(argument("chapter", metavar="CHAPTER", nargs="?", help="the number or the name of a chapter"),),
    function=_run,
)
