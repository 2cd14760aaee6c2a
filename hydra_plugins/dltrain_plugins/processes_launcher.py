"""Hydra's launcher for this machine: jobs of a sweep side by side in processes, or one after the other in this one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class ProcessesLauncher(Launcher):
    """Has dltrain's sweeper run several jobs at once; the setting stands in conf/hydra/launcher/processes.yaml.

    Args:
        workers: how many processes run jobs; None for one a core.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before the first job."""
        self.hydra_context: Any = hydra_context
        self.task_function, self.config = task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Runs jobs in this process, one after the other; called by a sweeper with the words of each."""
        from dltrain.sweeps.workers import run_numbered

        done = []
        for number, words in enumerate(job_overrides, initial_job_idx):
            config = self.hydra_context.config_loader.load_sweep_config(self.config, list(words))
            done.append(run_numbered(config, number, self.hydra_context, self.task_function))
        return done
