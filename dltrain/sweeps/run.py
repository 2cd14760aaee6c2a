"""Runs the jobs of a sweep in batches, without those that the ledger has."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from dltrain.base.console import standard_output
from dltrain.base.errors import DltrainError
from dltrain.base.import_beside import import_beside, needed_at_the_end
from dltrain.sweeps import preloading
from dltrain.sweeps.clock import Clock, is_best
from dltrain.sweeps.ledger import Entry, Ledger
from dltrain.sweeps.memory import over_the_limit
from dltrain.sweeps.remaining import Job, remaining
from dltrain.sweeps.stop import asked_to_stop
from dltrain.sweeps.watch import Watch
from dltrain.sweeps.workers import Workers, workers_for

MANY = 1000  # jobs of a search that a clock ends
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
    jobs_left: Iterator[Job | None]
    left: list[Job] = []
    total: int | None
    clock = None
    if config.search is None:
        left = remaining(jobs, config, ledger, loader)
        jobs_left, total = iter(left), len(ledger.entries()) + len(left)
        common = [word for word in jobs[0] if all(word in job for job in jobs)] if len(jobs) > 1 else []
        at_once, count = len(left), len(left)
    else:
        from dltrain.sweeps.search import jobs_at_once, jobs_of

        common, at_once = jobs[0], jobs_at_once(config)
        if is_best(config):
            clock = Clock(sweep, config.search.minutes)
            total, count = config.search.jobs, config.search.jobs or MANY
        else:
            total, jobs_left = jobs_of(jobs, config, ledger, loader)
            count = total - len(ledger.entries())
    console = standard_output()
    console.quiet = config.quiet or config.verbose  # then nothing is told, or each job tells everything itself
    kind = str(config.hydra.launcher.get("_target_", "")).rpartition(".")[2]
    in_turn = kind in ("BasicLauncher", "ProcessesLauncher")
    workers = 1 if in_turn else max(1, at_once)
    if kind == "ProcessesLauncher" and not config.verbose:
        workers = workers_for(config.hydra.launcher.get("workers"), count, at_once, config)
    if clock is not None:
        from dltrain.sweeps.best import jobs_of_best

        jobs_left = jobs_of_best(jobs, config, ledger, loader, clock, workers)
    with Watch(ledger, console, common=common, total=total, known=left, clock=clock) as watch:
        if in_turn and workers > 1:
            with Workers(workers, launcher) as running:
                import_beside(needed_at_the_end.get())  # while the workers import TensorFlow
                _run_side_by_side(jobs_left, running, ledger, watch)
        else:
            preloading.give_up()
            while batch := _batch(jobs_left, workers):
                watch.runs(batch)
                _launch(batch, launcher, ledger)
                if asked_to_stop(sweep) or over_the_limit():
                    break
    return []


def _batch(jobs: Iterator[Job | None], most: int) -> list[Job]:
    """Returns the next jobs that can run at once, at most so many; none if none is left."""
    batch: list[Job] = []
    while len(batch) < most and (job := next(jobs, None)):
        batch.append(job)
    return batch


def _run_side_by_side(jobs: Iterator[Job | None], workers: Workers, ledger: Ledger, watch: Watch) -> None:
    """Starts each job as soon as a worker is free, and again those whose worker died."""
    again: list[Job] = []
    deaths: Counter[str | None] = Counter()
    while True:
        while workers.free and not asked_to_stop(ledger.sweep):
            if (job := again.pop() if again else next(jobs, None)) is None:
                break
            workers.start(job)
            watch.runs(workers.running)
        if not workers.running:
            return
        for job, reason in workers.wait():
            deaths[job.name] += 1
            ledger.remove_unfinished()
            if job.name and deaths[job.name] == ATTEMPTS:
                ledger.append(_died(job, reason))
            elif job.name:
                again.append(job)
        watch.runs(workers.running)


def _launch(batch: list[Job], launcher: Launcher, ledger: Ledger) -> None:
    """Runs jobs, and again those whose worker died."""
    number = batch[0].number(len(ledger.entries()))
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
        names = [job.name for job in left if job.name]
        done = {entry.job for entry in ledger.gather(names if len(names) == len(left) else None)}
        if failure is None or asked_to_stop(ledger.sweep) or len(names) < len(left):
            break
        left = [job for job in left if job.name not in done]
        if not left:
            return
        ledger.remove_unfinished()
    if failure is not None and not asked_to_stop(ledger.sweep):
        for job in left:
            if job.name:
                ledger.append(_died(job, f"{type(failure).__name__} {failure}"))


def _died(job: Job, reason: str) -> Entry:
    assert job.name
    return Entry(job=job.name, overrides=job.overrides, reason=f"its worker died {ATTEMPTS} times: {reason}")
