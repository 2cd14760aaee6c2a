"""Runs jobs of a sweep side by side, in processes that are forked from one which has imported TensorFlow."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import types
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any, Self

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from joblib import wrap_non_picklable_objects
from omegaconf import DictConfig, open_dict

from dltrain.internals import tensorflow_quietly
from dltrain.sweeps import preloading
from dltrain.sweeps.remaining import Job

JOBS_A_WORKER = 50  # then a new process takes its place, since TensorFlow keeps a few megabytes of each job
FEW_JOBS = 8  # in a process that has TensorFlow, fewer jobs end sooner than another import of it


def workers_for(wanted: int | None, jobs: int, at_once: int, config: DictConfig) -> int:
    """Returns how many processes shall run so many jobs, `at_once` at most; 1 means in this one, one after the other.

    `wanted` is what a person has chosen, if anything. Otherwise there is one a core, as far as memory lasts, but none
    beside this process where they could not work or would gain nothing: where a GPU would be shared, where the config
    names what is defined in the program that runs, and where this process has imported TensorFlow for a few jobs.
    """
    most = min(jobs, at_once)
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return 1
    if wanted is not None:
        return min(wanted, most)
    if preloading.has_gpu() or config.strategy is not None or "__main__." in str(config):
        return 1
    if tensorflow_quietly.is_loaded() and jobs < FEW_JOBS:
        return 1
    return max(1, min(most, preloading.most_workers()))


@dataclass
class _Worker:
    process: Any
    pipe: connection.Connection
    jobs: int = 0
    job: Job | None = None


class Workers:
    """So many processes that run jobs; as a context manager it ends them.

    `launcher` is one of Hydra's that has been set up.
    """

    def __init__(self, count: int, launcher: Any) -> None:
        self.count = count
        self.config, self.context = launcher.config, launcher.hydra_context
        state = Singleton.get_state()  # with resolvers that are functions of functions, which pickle refuses
        told = wrap_non_picklable_objects(lambda: state)
        self._given = self.context, launcher.task_function, told, Path.cwd(), list(sys.path)
        self._fork = multiprocessing.get_context("forkserver")
        self._workers: list[_Worker] = []
        self._started = 0

    def __enter__(self) -> Self:
        preloading.begin()
        self._begin()  # the first one, so that TensorFlow is imported while the first jobs are drawn
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.pipe.close()  # ends an idle one
            if error is not None and worker.job is not None:
                worker.process.terminate()  # which saves the state of its job
        for worker in self._workers:
            worker.process.join()

    @property
    def running(self) -> list[Job]:
        """The jobs that have been started and have not ended."""
        return [worker.job for worker in self._workers if worker.job is not None]

    @property
    def free(self) -> bool:
        """Whether another job can be started."""
        return len(self.running) < self.count

    def start(self, job: Job) -> None:
        """Has a worker run a job."""
        config = self.context.config_loader.load_sweep_config(self.config, job.words)
        idle = [worker for worker in self._workers if worker.job is None]
        worker = idle[0] if idle else self._begin()
        worker.job = job
        worker.jobs += 1
        with suppress(OSError):  # a worker that has died is told by `wait`
            worker.pipe.send((config, job.number(self._started)))
        self._started += 1

    def wait(self) -> list[tuple[Job, str]]:
        """Waits until a job has ended; returns those whose worker has died, with what is known of its death."""
        busy = {id(worker.pipe): worker for worker in self._workers if worker.job is not None}
        lost: list[tuple[Job, str]] = []
        for pipe in connection.wait([worker.pipe for worker in busy.values()]):
            worker = busy[id(pipe)]
            try:
                worker.pipe.recv()
            except (EOFError, OSError):
                worker.process.join()
                assert worker.job is not None
                lost.append((worker.job, f"exit code {worker.process.exitcode}"))
                worker.jobs = JOBS_A_WORKER
            worker.job = None
            if worker.jobs >= JOBS_A_WORKER:
                worker.pipe.close()
                self._workers.remove(worker)
        return lost

    def _begin(self) -> _Worker:
        ours, theirs = multiprocessing.Pipe()
        process = self._fork.Process(target=_work, args=(theirs, *self._given))
        with preloading.without_main():
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker


def _work(
    pipe: connection.Connection,
    context: HydraContext,
    task: TaskFunction,
    state: Callable[[], dict[Any, Any]],
    where: Path,
    paths: Sequence[str],
) -> None:
    """Runs the jobs that come through a pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes, but only the main one acts on it
    enter(state(), where, paths)
    with suppress(EOFError):
        while True:
            config, number = pipe.recv()
            tensorflow_quietly.settle(config)
            run_numbered(config, number, context, task)
            pipe.send(None)


def enter(state: dict[Any, Any], where: Path, paths: Sequence[str]) -> None:
    """Prepares a worker like the process of the command: its Hydra, folder and search path of modules."""
    sys.path += [path for path in paths if path not in sys.path]
    if where.is_dir():
        os.chdir(where)  # for relative paths in the command
    setup_globals()
    Singleton.set_state(state)


def run_numbered(config: DictConfig, number: int, context: HydraContext, task: TaskFunction) -> JobReturn:
    """Has Hydra run the `number`-th job of a sweep, from 0, in this process."""
    with open_dict(config):
        config.hydra.job.id, config.hydra.job.num = f"{config.hydra.job.name}_{number}", number
    return run_job(
        hydra_context=context,
        task_function=task,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
