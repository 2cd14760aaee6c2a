"""Finds the jobs of a sweep that its ledger lacks, and checks that the data has not changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError
from dltrain.base.notes import SilentNotes
from dltrain.config.fingerprint import fingerprint
from dltrain.config.hydra_node import resolving
from dltrain.record.record import Record
from dltrain.sweeps.ledger import Entry, Ledger

NUMBERED = "${hydra:job.num}"


@dataclass(frozen=True)
class Job:
    """A job to run: its overrides, and the name of its directory if directories are numbered."""

    overrides: list[str]
    name: str | None

    @property
    def words(self) -> list[str]:
        """The words for Hydra's launcher."""
        return [*self.overrides, *([f"hydra.sweep.subdir={self.name}"] if self.name else [])]

    def number(self, otherwise: int) -> int:
        """The number by which Hydra counts the job, from 0; `otherwise` if its directory has none."""
        return int(self.name) if self.name and self.name.isdigit() else otherwise


def remaining(jobs: list[list[str]], config: DictConfig, ledger: Ledger, loader: ConfigLoader) -> list[Job]:
    """Returns the jobs that are not in the ledger, each with its own directory.

    Raises:
        ConfigError: If the same words mean other settings now, or the data has changed.
    """
    numbered = OmegaConf.to_container(config.hydra.sweep, resolve=False)["subdir"] == NUMBERED  # type: ignore[call-overload,index]
    entries = ledger.entries()
    if not entries:
        return [Job(words, str(place) if numbered else None) for place, words in enumerate(jobs)]
    by_key, by_words = {entry.key: entry for entry in entries}, {tuple(entry.overrides): entry for entry in entries}
    taken = {entry.job for entry in entries}
    left: list[Job] = []
    for place, words in enumerate(jobs):
        job_config = loader.load_sweep_config(config, words)
        with resolving(job_config):
            key = fingerprint(job_config)
        same_words = by_words.get(tuple(word for word in words if not word.startswith("hydra.")))
        entry = by_key.get(key) or (same_words if same_words and not same_words.key else None)
        if entry is None and same_words is not None:
            raise ConfigError(
                f"hydra.sweep.dir: job {same_words.job} of '{ledger.sweep}' had the same words and other settings: "
                "a YAML file or dltrain has changed since. Choose another directory."
            )
        if entry is not None:
            continue
        name = str(place)
        if name in taken:
            name = str(max(int(each) for each in taken if each.isdigit()) + 1)
        taken.add(name)
        left.append(Job(words, name if numbered else None))
    if left:
        refuse_other_data(ledger.sweep, entries)
    return left


def refuse_other_data(sweep: Path, entries: Sequence[Entry]) -> None:
    """Refuses to go on if the data of the first completed job has changed."""
    from dltrain.internals import tensorflow_quietly

    tensorflow_quietly.load()
    from dltrain.experiment.experiment import draw, pose
    from dltrain.experiment.stages import load_dataset

    job = next((entry for entry in entries if entry.status == "completed" and entry.data), None)
    if job is None:
        return
    config, notes = Record(sweep / job.job).config, SilentNotes()
    dataset = load_dataset(config.dataset, notes)
    now = draw(config, pose(config, dataset, notes, []), notes).dataset.sha256()
    if now != job.data:
        raise ConfigError(
            f"hydra.sweep.dir: the data of '{sweep}' has changed since its job {job.job} ran "
            f"({str(job.data)[:12]}, now {now[:12]}): new jobs could not be compared. Choose another directory."
        )
