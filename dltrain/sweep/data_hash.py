"""Hashes the data that a finished job would load now."""

from __future__ import annotations

from pathlib import Path

from dltrain.base.notes import SilentNotes
from dltrain.experiment.experiment import draw, pose
from dltrain.experiment.stages import load_dataset
from dltrain.record.record import Record


def data_hash(job: Path) -> str:
    """Returns the SHA-256 of the rows that the finished job in this directory would use now."""
    config, notes = Record(job).config, SilentNotes()
    return draw(config, pose(config, load_dataset(config.dataset, notes), notes, []), notes).dataset.sha256()
