"""Runs the jobs of a sweep in batches, without those that the ledger has."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from dltrain.base.console import standard_output
from dltrain.base.errors import DltrainError
from dltrain.sweeps.ledger import Entry, Ledger
from dltrain.sweeps.memory import over_the_limit
from dltrain.sweeps.remaining import Job, remaining
from dltrain.sweeps.stop import asked_to_stop
from dltrain.sweeps.watch import Watch

ATTEMPTS = 3  # at a job whose worker died; a job that failed is not repeated


def run_jobs(jobs: list[list[str]], config: DictConfig, launcher: Launcher, loader: ConfigLoader) -> list[Any]:
    """Runs what is left of a grid or of a search.

    `jobs` holds the overrides of each job of a grid; a search has one list and adds its own.
    """
    sweep = Path(config.hydra.sweep.dir).resolve()
    ledger = Ledger(sweep)
    ledger.gather()
    # Jobs with `.hydra` but no result were killed, or not begun after Ctrl-C; those with a saved state stay and
    # continue.
    ledger.remove_unfinished()
    if config.retry_failed:
        ledger.forget_failed()
    batches: Iterator[list[Job]]
    left: list[Job] = []
    if config.search is None:
        left = remaining(jobs, config, ledger, loader)
        one_by_one = str(config.hydra.launcher.get("_target_", "")).endswith("BasicLauncher")
        size = 1 if one_by_one else max(1, len(left))
        batches = (left[start : start + size] for start in range(0, len(left), size))
        total = len(ledger.entries()) + len(left)
        common = [word for word in jobs[0] if all(word in job for job in jobs)] if len(jobs) > 1 else []
    else:
        from dltrain.sweeps.search import batches_of

        total, batches = batches_of(jobs, config, ledger, loader)
        common = jobs[0]
    console = standard_output()
    console.quiet = config.quiet or config.verbose  # then nothing is told, or each job tells everything itself
    with Watch(ledger, console, common=common, total=total, known=left) as watch:
        for batch in batches:
            watch.starts(batch)
            _launch(batch, launcher, ledger)
            if asked_to_stop(sweep) or over_the_limit():
                break
    return []


def _launch(batch: list[Job], launcher: Launcher, ledger: Ledger) -> None:
    """Runs jobs, and again those whose worker died."""
    number = int(batch[0].name) if batch[0].name and batch[0].name.isdigit() else len(ledger.entries())
    left = batch
    failure: Exception | None = None
    for _ in range(ATTEMPTS):
        try:
            launcher.launch([job.words for job in left], initial_job_idx=number)
            failure = None
        except DltrainError:  # the launcher could not start anything
            raise
        except Exception as error:  # each launcher has its own errors for a killed worker or a lost node
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
