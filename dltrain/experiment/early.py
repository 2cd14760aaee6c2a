"""Reads the dataset of a run before TensorFlow is loaded, so that it is shown while a person waits for that."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from dltrain.base.console import PrintableConsole, standard_output
from dltrain.data.dataset import Dataset
from dltrain.experiment.log import Kept, logging_kept, terminal_handler
from dltrain.experiment.stages import load_dataset


@dataclass(frozen=True)
class EarlyDataset:
    """A dataset with what its reading told; `kept` are records that the log of the run still lacks."""

    dataset: Dataset
    notes: Sequence[str]
    kept: Kept


class _Notes:
    """Shows and keeps the notes of the reading."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        logging.getLogger("dltrain").info(text)
        self.texts.append(text)

    def warn(self, text: str) -> None:
        raise NotImplementedError

    def check(self, found: Sequence[Any]) -> None:
        raise NotImplementedError


def read_early(config: DictConfig, *, shows: bool) -> EarlyDataset | None:
    """Reads and shows the dataset of a single run; None if the run must read it itself.

    A loader from elsewhere may draw from the generators that the run seeds before it reads.

    Raises:
        DltrainError: If the dataset cannot be read.
    """
    if not str(config.dataset["_target_"]).startswith("dltrain."):
        return None
    console = standard_output() if shows or config.verbose else PrintableConsole(quiet=True)
    notes = _Notes()
    with logging_kept(terminal_handler(console, quiet=config.quiet, verbose=config.verbose)) as kept:
        dataset = load_dataset(config.dataset, notes)
    return EarlyDataset(dataset, notes.texts, kept)
