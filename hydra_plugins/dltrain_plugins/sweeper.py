"""Hydra's sweeper for dltrain: which jobs run, one batch after the other."""

from __future__ import annotations

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser


class DltrainSweeper(BasicSweeper):
    """Runs the jobs of a grid, or those that a search asks for, and leaves out what its ledger has.

    Args:
        params: overrides that are swept beside those of the command line.
    """

    def __init__(self, params: dict[str, str] | None = None) -> None:
        super().__init__(max_batch_size=None, params=params)

    def sweep(self, arguments: list[str]) -> Any:
        """Called by Hydra with the overrides of the command line."""
        from dltrain.sweep.run import run_jobs

        assert self.config is not None
        assert self.hydra_context is not None
        assert self.launcher is not None
        loader = self.hydra_context.config_loader
        parser = OverridesParser.create(config_loader=loader)
        (jobs,) = self.split_arguments(parser.parse_overrides([*self._parse_config(), *arguments]), None)
        return run_jobs(jobs, self.config, self.launcher, loader)


# A dict, since Hydra loads its plugins in a way that dataclasses with postponed annotations do not survive.
NODE = {"_target_": "hydra_plugins.dltrain_plugins.sweeper.DltrainSweeper", "params": None}
ConfigStore.instance().store(group="hydra/sweeper", name="dltrain", node=NODE, provider="dltrain")
