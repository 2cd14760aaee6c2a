"""The hash of the data that a job was given, taken again today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dltrain.experiment.stages import choose_task, draw_rows, load_dataset
from dltrain.record.record import Record


class _Silent:
    """Stands in for the journal."""

    def note(self, text: str) -> None:
        """Is not told anybody."""


def data_hash(job: Path) -> str:
    """SHA-256 of the rows that a finished job would see now.

    Args:
        job: its directory.

    Raises:
        DltrainError: the data cannot be loaded any more.
    """
    config = Record(job).config
    journal: Any = _Silent()
    dataset = load_dataset(config.dataset, journal)
    _, target = choose_task(config.task, dataset, journal)
    dataset, _ = draw_rows(config.rows, dataset, target, config.seed, journal)
    return dataset.sha256()
