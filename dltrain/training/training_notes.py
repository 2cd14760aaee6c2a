"""Defines what a training reports while it runs, and where its files go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console

from dltrain.base.notes import Notes


class TrainingNotes(Notes, Protocol):
    """The notes of a run that trains, implemented by the run's journal."""

    live: Console  # where the progress is shown
    quiet: bool
    resumes: bool
    changed: Mapping[str, int]  # the settings that changed in the midst of the run, by full key, with their first epoch

    @property
    def path(self) -> Path:
        """The directory of this training."""

    def training_begins(self) -> None:
        """Marks the point after which the directory of a failed run is kept."""

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """Reports the logs of an epoch, counted from 1."""

    def stopped_early(self, history: Sequence[dict[str, float]]) -> None:
        """Reports how far an interrupted or failed training came."""

    def seconds_per_epoch(self, found: tuple[float, float] | None) -> None:
        """Reports the durations of the fastest and of the median epoch, or None after a single one."""
