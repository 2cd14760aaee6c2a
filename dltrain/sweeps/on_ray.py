"""Runs the jobs of a sweep as tasks of a Ray cluster, which write into the sweep's shared directory."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from ray.exceptions import RayError

from dltrain.base.errors import ConfigError
from dltrain.sweeps.workers import enter, run_numbered

SECONDS_TO_ANSWER = 10.0


def run_on_ray(
    configs: Sequence[DictConfig],
    first: int,
    context: HydraContext,
    task: TaskFunction,
    *,
    address: str,
    cpus: float,
    gpus: float,
    memory: int | None,
    jobs_a_worker: int,
    init: Mapping[str, Any],
) -> list[JobReturn]:
    """Runs jobs and waits for all of them, even if one is lost with its worker.

    `first` is the number of the first job. The address `local` starts a cluster of this machine for as long as the jobs
    take. `cpus`, `gpus` and `memory` (bytes) are those of one job; a process ends after `jobs_a_worker` jobs. `init`
    holds further arguments of `ray.init`.

    Raises:
        ConfigError: If there is no such cluster.
        RayError: If a worker died; its job may be tried again.
    """
    _refuse_silent(os.environ.get("RAY_ADDRESS", address) if address == "auto" else address)
    try:
        ray.init(address=address, logging_level=logging.WARNING, **init)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(f"hydra.launcher.address: there is no Ray cluster at '{address}': {error}") from error
    try:
        # Ray does not retry: the sweep does, after it has removed what the first attempt left.
        needs: dict[str, Any] = {"num_cpus": cpus, "num_gpus": gpus, **({} if memory is None else {"memory": memory})}
        job = ray.remote(**needs, max_calls=jobs_a_worker, max_retries=0)(_run)
        state, where = Singleton.get_state(), str(Path.cwd())
        running = []
        for number, config in enumerate(configs, first):
            with open_dict(config):
                config.hydra.sweep.dir = str(Path(config.hydra.sweep.dir).resolve())
            running.append(job.remote(context, task, config, number, state, where, sys.path))
        ray.wait(running, num_returns=len(running))
        done, lost = [], None
        for each in running:
            try:
                done.append(ray.get(each))
            except RayError as error:
                lost = error
        if lost is not None:
            raise lost
        return done
    finally:
        ray.shutdown()


def _refuse_silent(address: str) -> None:
    """Checks that something listens at the address, since Ray would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), SECONDS_TO_ANSWER).close()
    except OSError as error:
        raise ConfigError(f"hydra.launcher.address: nothing answers at '{address}': {error.strerror}.") from error


def _run(
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    number: int,
    state: dict[Any, Any],
    where: str,
    paths: list[str],
) -> JobReturn:
    enter(state, Path(where), paths)
    return run_numbered(config, number, context, task)
