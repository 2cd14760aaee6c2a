"""Hydra's sweeper for dltrain: which jobs run, one batch after the other."""

from __future__ import annotations

from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class DltrainSweeper(Sweeper):
    """Runs the jobs of a grid, or those that a search asks for, and leaves out what its ledger has.

    Args:
        params: overrides that are swept beside those of the command line.
    """

    def __init__(self, params: dict[str, str] | None = None) -> None:
        self.params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before the sweep."""
        self.config, self.hydra_context = config, hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Called by Hydra with the overrides of the command line."""
        from dltrain.config.overrides import grid_jobs
        from dltrain.sweeps.run import run_jobs

        assert self.config is not None
        assert self.hydra_context is not None
        assert self.launcher is not None
        loader = self.hydra_context.config_loader
        parser = OverridesParser.create(config_loader=loader)
        params = [f"{key}={value}" for key, value in self.params.items()]
        return run_jobs(grid_jobs(parser.parse_overrides([*params, *arguments])), self.config, self.launcher, loader)


# A dict, since Hydra loads its plugins in a way that dataclasses with postponed annotations do not survive.
NODE = {"_target_": "hydra_plugins.dltrain_plugins.sweeper.DltrainSweeper", "params": None}
ConfigStore.instance().store(group="hydra/sweeper", name="dltrain", node=NODE, provider="dltrain")
