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
class ReadDataset:
    """A dataset with what its reading told, of which nothing was shown yet."""

    dataset: Dataset
    notes: Sequence[str]


@dataclass(frozen=True)
class EarlyDataset:
    """A dataset with what its reading told; `kept` are records that the log of the run still lacks."""

    dataset: Dataset
    notes: Sequence[str]
    kept: Kept


class _Notes:
    """Keeps the notes of the reading, and shows them if `shows`."""

    def __init__(self, *, shows: bool = True) -> None:
        self.texts: list[str] = []
        self._shows = shows

    def note(self, text: str) -> None:
        if self._shows:
            logging.getLogger("dltrain").info(text)
        self.texts.append(text)

    def warn(self, text: str) -> None:
        raise NotImplementedError

    def check(self, found: Sequence[Any]) -> None:
        raise NotImplementedError


def read_quietly(config: DictConfig) -> ReadDataset:
    """Reads the dataset of a config, and keeps what a run is to show of it.

    Raises:
        DltrainError: If the dataset cannot be read.
    """
    notes = _Notes(shows=False)
    return ReadDataset(load_dataset(config.dataset, notes), notes.texts)


def read_early(
    config: DictConfig, *, shows: bool, read: ReadDataset | None = None, sentence: str = ""
) -> EarlyDataset | None:
    """Reads and shows the dataset of a single run; None if the run must read it itself.

    `read` is the dataset if it was read before, and `sentence` a note that follows those of the reading. A loader from
    elsewhere may draw from the generators that the run seeds before it reads.

    Raises:
        DltrainError: If the dataset cannot be read.
    """
    if not str(config.dataset["_target_"]).startswith("dltrain."):
        return None
    console = standard_output() if shows or config.verbose else PrintableConsole(quiet=True)
    notes = _Notes()
    with logging_kept(terminal_handler(console, quiet=config.quiet, verbose=config.verbose)) as kept:
        if read is None:
            dataset = load_dataset(config.dataset, notes)
        else:
            dataset = read.dataset
            for text in read.notes:
                notes.note(text)
        if sentence:
            notes.note(sentence)
    return EarlyDataset(dataset, notes.texts, kept)
