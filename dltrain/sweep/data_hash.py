"""The hash of the data that a job was given, taken again today."""

from __future__ import annotations

from pathlib import Path

from dltrain.base.notes import SilentNotes
from dltrain.experiment.experiment import draw, pose
from dltrain.experiment.stages import load_dataset
from dltrain.record.record import Record


def data_hash(job: Path) -> str:
    """SHA-256 of the rows that a finished job would see now.

    Args:
        job: its directory.

    Raises:
        DltrainError: the data cannot be loaded any more.
    """
    config, notes = Record(job).config, SilentNotes()
    return draw(config, pose(config, load_dataset(config.dataset, notes), notes, []), notes).dataset.sha256()
