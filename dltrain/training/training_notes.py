"""What a training tells while it runs, and where its files go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console

from dltrain.base.notes import Notes


class TrainingNotes(Notes, Protocol):
    """The notes of a run that trains; a run's journal is one."""

    console: Console
    quiet: bool
    resumes: bool

    @property
    def path(self) -> Path:
        """The directory of this training."""

    def training_begins(self) -> None:
        """Says that from here on a run that fails is kept."""

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """Tells the logs of an epoch, counted from 1."""

    def reached(self, history: Sequence[dict[str, float]]) -> None:
        """Tells how far a training came that does not end by itself."""

    def pace(self, seconds: float | None) -> None:
        """Tells how long the fastest epoch took; None where there was only one."""
