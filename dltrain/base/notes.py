"""Whom the stages of a run tell what they did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Notes(Protocol):
    """What a stage may say; a run's journal writes it down, others only remember it."""

    def note(self, text: str) -> None:
        """Tells what was done."""

    def warn(self, text: str) -> None:
        """Tells what a person should look at."""

    def check(self, found: Sequence[Any]) -> None:
        """Takes the findings of the checks of the data."""


class SilentNotes:
    """Notes for stages that run outside of a run, as for a forecast or a checkup: nothing is told, findings are kept.

    Attributes:
        findings: of the checks of the data.
    """

    def __init__(self) -> None:
        self.findings: list[Any] = []

    def note(self, text: str) -> None:
        """Is not told anybody."""

    def warn(self, text: str) -> None:
        """Is not told anybody."""

    def check(self, found: Sequence[Any]) -> None:
        """Keeps the findings."""
        self.findings = list(found)
