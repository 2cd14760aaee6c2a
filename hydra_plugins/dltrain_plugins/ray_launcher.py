"""Hydra's launcher for Ray: the jobs of a sweep on the machines of a cluster."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class RayLauncher(Launcher):
    """Runs each job as a task of Ray; the settings stand in conf/hydra/launcher/ray.yaml.

    Args:
        settings: of the cluster and of a job.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before the first job.

        Raises:
            ConfigError: Ray is not installed.
        """
        from dltrain.base.distribution import install
        from dltrain.base.errors import ConfigError

        if importlib.util.find_spec("ray") is None:
            raise ConfigError(f"hydra/launcher=ray needs Ray, which is not installed: {install('ray')}.")
        os.environ.setdefault("RAY_DEDUP_LOGS", "0")  # jobs may well tell the same result
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Called by the sweeper with the words of each job."""
        from dltrain.sweeps.on_ray import run_on_ray

        configs = [
            self.hydra_context.config_loader.load_sweep_config(self.config, list(each)) for each in job_overrides
        ]
        return run_on_ray(configs, initial_job_idx, self.hydra_context, self.task_function, **self.settings)
