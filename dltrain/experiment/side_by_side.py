"""Trains folds or seeds of one run in threads; each gives the same numbers as alone."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import RunError
from dltrain.config.seed import Seed
from dltrain.engine.architecture import architecture
from dltrain.experiment.experiment import Experiment
from dltrain.experiment.journal import Journal
from dltrain.internals.determinism import seed_generators
from dltrain.training.progress import TrainingsProgress
from dltrain.training.train import Training

Result = TypeVar("Result")

CHECKPOINT, BEST_WEIGHTS = "dltrain.training.checkpoint.Checkpoint", "dltrain.training.checkpoint.BestWeights"
PROGRESS = "dltrain.training.progress.Progress"
GRADIENT_CHECK = "dltrain.training.gradient_check.GradientCheck"  # sets Keras' float type for the whole process


@dataclass(frozen=True)
class TrainingJob:
    """One of the trainings, with a name for people such as `fold 3` and its own journal.

    `seed` is set before `assemble` builds the experiment; it also decides the order of rows.
    """

    name: str
    seed: Seed
    assemble: Callable[[], Experiment]
    journal: Journal


def train_side_by_side(
    jobs: Sequence[TrainingJob],
    finish: Callable[[TrainingJob, Experiment, Training], Result],
    *,
    config: DictConfig,
    journal: Journal,
) -> list[Result]:
    """Trains all jobs and returns their results in the order of the jobs.

    The networks are built one after the other, each right after its seed was set, so that everything random is drawn
    before a training begins. If a callback or layer is neither Keras' nor dltrain's, it may draw later, and the jobs
    train in turn. `finish` is called in the thread of a training at its end; the terminal shows one line for all jobs.

    Raises:
        RunError: If a training diverged; its job is named.
    """
    callbacks = quiet_callbacks(config.callbacks)
    with _progress_line(journal, jobs, config.trainer.epochs) as line:

        def work(job: TrainingJob, experiment: Experiment) -> Result:
            try:
                training = experiment.train(
                    config, job.journal, seed=job.seed, callbacks=callbacks, extra_callbacks=[line.callback()]
                )
                result = finish(job, experiment, training)
            except RunError as error:
                raise type(error)(f"{job.name}: {error}") from error
            line.finished()
            return result

        futures: list[Future[Result]] = []
        with ThreadPoolExecutor(workers()) as pool:
            free: threading.Semaphore | None = None

            def released(_: Future[Result]) -> None:
                if free:
                    free.release()

            try:
                journal.training_begins()
                for job in jobs:
                    if free:
                        free.acquire()
                    _raise_failure(futures)
                    seed_generators(job.seed.stream("weights"), config)
                    experiment = job.assemble()
                    if free is None:
                        free = threading.Semaphore(workers() if _independent(experiment, callbacks) else 1)
                        free.acquire()
                    futures.append(pool.submit(work, job, experiment))
                    futures[-1].add_done_callback(released)
                return [future.result() for future in futures]
            except BaseException:
                # The other trainings end after their epoch; their saved states tell how far they got.
                line.stopping = True
                for future in futures:
                    future.cancel()
                raise


def forget_states(journal: Journal, parts: Sequence[str]) -> None:
    """Removes the saved states of finished trainings; `parts` are their folders in the run directory."""
    for part in parts:
        shutil.rmtree(journal.path / part / "checkpoints", ignore_errors=True)


def quiet_callbacks(nodes: DictConfig) -> DictConfig:
    """Returns the callbacks for one of many trainings, without its own progress line and without files of weights."""
    kept: Any = OmegaConf.to_container(nodes, resolve=True)  # nodes may refer to other parts of the config
    for name, node in list(kept.items()):
        if node is not None and node.get("_target_") == CHECKPOINT:
            node["_target_"] = BEST_WEIGHTS
        elif node is not None and node.get("_target_") == PROGRESS:
            del kept[name]
    return DictConfig(kept)


def workers() -> int:
    """Returns how many trainings run side by side."""
    # One more than there are cores, since a training sometimes waits for a graph to be traced or for Python.
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


def _independent(experiment: Experiment, callbacks: DictConfig) -> bool:
    """Returns whether trainings share neither a generator of random numbers nor a setting of Keras."""
    targets = [str(node["_target_"]) for node in callbacks.values() if node is not None]
    ours = all(target.startswith(("keras.", "dltrain.")) for target in targets)
    return ours and GRADIENT_CHECK not in targets and architecture(experiment.network) is not None


def _raise_failure(futures: Sequence[Future[Any]]) -> None:
    for future in futures:
        if future.done():
            future.result()


@contextmanager
def _progress_line(journal: Journal, jobs: Sequence[TrainingJob], epochs: int) -> Iterator[TrainingsProgress]:
    line = TrainingsProgress(journal.live, jobs[0].name.split()[0], len(jobs), epochs, quiet=journal.quiet)
    try:
        yield line
    finally:
        line.close()
