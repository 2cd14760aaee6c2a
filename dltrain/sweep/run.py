"""The jobs of a sweep, batch after batch: what the ledger has is left out, what was cut off goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError, DltrainError
from dltrain.config.fingerprint import fingerprint
from dltrain.config.hydra_node import resolving
from dltrain.sweep.ledger import Entry, Ledger
from dltrain.sweep.memory import over_the_limit
from dltrain.sweep.stop import asked_to_stop

ATTEMPTS = 3  # to run a job whose worker died; a job that failed by itself is not repeated
NUMBERED = "${hydra:job.num}"


@dataclass(frozen=True)
class Job:
    """A job to run: its words, and its directory's name where it has a number."""

    overrides: list[str]
    name: str | None

    @property
    def words(self) -> list[str]:
        """For Hydra's launcher."""
        return [*self.overrides, *([f"hydra.sweep.subdir={self.name}"] if self.name else [])]


def run_jobs(jobs: list[list[str]], config: DictConfig, launcher: Launcher, loader: ConfigLoader) -> list[Any]:
    """Runs what is left of a grid or of a search.

    Args:
        jobs: the overrides of each job of a grid; a search adds its own to those of the only one.
        config: of the sweep.
        launcher: Hydra's.
        loader: Hydra's.

    Raises:
        ConfigError: the directory's jobs had other settings or other data.
    """
    sweep = Path(config.hydra.sweep.dir).resolve()
    ledger = Ledger(sweep)
    ledger.gather()
    # `.hydra` without a result: cut off by a kill, or not begun after Ctrl-C. What has a saved state goes on.
    ledger.remove_unfinished()
    if config.retry_failed:
        ledger.forget_failed()
    batches: Iterator[list[Job]]
    if config.search is None:
        left = remaining(jobs, config, ledger, loader)
        size = 1 if _one_by_one(config) else max(1, len(left))
        batches = (left[start : start + size] for start in range(0, len(left), size))
    else:
        from dltrain.sweep.search import asked

        batches = asked(jobs, config, ledger, loader)
    for batch in batches:
        _launch(batch, launcher, ledger)
        if asked_to_stop(sweep) or over_the_limit():
            break
    return []


def remaining(jobs: list[list[str]], config: DictConfig, ledger: Ledger, loader: ConfigLoader) -> list[Job]:
    """The jobs that are not in the ledger, each with a directory that no other has.

    Raises:
        ConfigError: the same words mean other settings now, or the data is another.
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
        name = _free_name(place, taken)
        taken.add(name)
        left.append(Job(words, name if numbered else None))
    if left:
        refuse_other_data(ledger.sweep, entries)
    return left


def _free_name(place: int, taken: set[str]) -> str:
    if str(place) not in taken:
        return str(place)
    return str(max(int(name) for name in taken if name.isdigit()) + 1)


def refuse_other_data(sweep: Path, entries: Sequence[Entry]) -> None:
    """Compares the data of today with that of a job that is there.

    Raises:
        ConfigError: it is another.
    """
    from dltrain.internals import tensorflow_quietly

    tensorflow_quietly.load()
    from dltrain.sweep.data_hash import data_hash

    for entry in entries:
        if entry.status == "completed" and entry.data:
            now = data_hash(sweep / entry.job)
            if now != entry.data:
                raise ConfigError(
                    f"hydra.sweep.dir: the data of '{sweep}' has changed since its job {entry.job} ran "
                    f"({entry.data[:12]}, now {now[:12]}): new jobs could not be compared. Choose another directory."
                )
            return


def _one_by_one(config: DictConfig) -> bool:
    return str(config.hydra.launcher.get("_target_", "")).endswith("BasicLauncher")


def _launch(batch: list[Job], launcher: Launcher, ledger: Ledger) -> None:
    """Runs jobs, and once more those whose worker died."""
    number = int(batch[0].name) if batch[0].name and batch[0].name.isdigit() else len(ledger.entries())
    left = batch
    failure: Exception | None = None
    for _ in range(ATTEMPTS):
        try:
            launcher.launch([job.words for job in left], initial_job_idx=number)
            failure = None
        except DltrainError:  # nothing could be started
            raise
        except Exception as error:  # of any launcher: a killed worker, a lost node
            failure = error
            time.sleep(1)
        ledger.gather()
        done = {entry.job for entry in ledger.entries()}
        if failure is None or asked_to_stop(ledger.sweep) or any(job.name is None for job in left):
            break
        left = [job for job in left if job.name not in done]
        if not left:
            return
        ledger.remove_unfinished()
    if failure is not None and not asked_to_stop(ledger.sweep):
        for job in left:
            if job.name:
                reason = f"its worker died {ATTEMPTS} times: {type(failure).__name__} {failure}"
                ledger.append(Entry(job=job.name, overrides=job.overrides, reason=reason))
