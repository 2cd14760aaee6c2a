"""Defines what the stages of a run use to tell what they did, and how many things are told in a phrase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

SHOWN = 3


def some(names: Sequence[str]) -> str:
    """Names the first of many, and how many more there are."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun, `1 file` or `1,200 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class Notes(Protocol):
    """What a stage may tell; the journal of a run writes it down."""

    def note(self, text: str) -> None:
        """Tells what was done."""

    def warn(self, text: str) -> None:
        """Tells what a person should look at."""

    def check(self, found: Sequence[Any]) -> None:
        """Takes the findings of the data checks."""


class SilentNotes:
    """Notes for stages outside of a run, such as a forecast or a checkup: only the findings of data checks are kept."""

    def __init__(self) -> None:
        self.findings: list[Any] = []

    def note(self, text: str) -> None:
        """Ignores a note."""

    def warn(self, text: str) -> None:
        """Ignores a warning."""

    def check(self, found: Sequence[Any]) -> None:
        """Keeps the findings."""
        self.findings = list(found)
