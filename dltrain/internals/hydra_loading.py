"""Hydra's steps from words and YAML to a config, one by one: its public `compose` only goes all the way at once."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra._internal.config_repository import CachingConfigRepository
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.override_parser.types import Override
from hydra.plugins.config_source import ConfigResult
from hydra.types import RunMode
from omegaconf import DictConfig

NAMES = (
    "hydra._internal.config_loader_impl.ConfigLoaderImpl._apply_overrides_to_config",
    "hydra._internal.config_loader_impl.ConfigLoaderImpl._load_configuration_impl",
    "hydra._internal.config_loader_impl.ConfigLoaderImpl._parse_overrides_and_create_caching_repo",
    "hydra._internal.config_loader_impl.get_overrides_dirname",
    "hydra._internal.config_repository.CachingConfigRepository",
    "hydra._internal.utils.create_config_search_path",
)

Repository = CachingConfigRepository  # the files of a search path, each read once


class HydraLoader(ConfigLoaderImpl):
    """Hydra's loader, whose two steps can be replaced; the public interface has no place for a loader of one's own."""

    def merge(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """The config that the chosen files and the values give."""
        return super()._load_configuration_impl(config_name, overrides, run_mode, from_shell, validate_sweep_overrides)

    def parse(self, config_name: str | None, overrides: list[str]) -> tuple[list[Override], Repository]:
        """The overrides as Hydra understands them, and the files among which they choose."""
        return super()._parse_overrides_and_create_caching_repo(config_name, overrides)

    def _load_configuration_impl(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        return self.merge(config_name, overrides, run_mode, from_shell, validate_sweep_overrides)

    def _parse_overrides_and_create_caching_repo(
        self, config_name: str | None, overrides: list[str]
    ) -> tuple[list[Override], Repository]:
        return self.parse(config_name, overrides)


class Copies(Repository):
    """Gives a composition files of its own: Hydra merges them without a copy, and sets the values in them."""

    def __init__(self, shared: Repository) -> None:
        self.delegate, self.cache = shared, {}

    def load_config(self, config_path: str) -> ConfigResult | None:
        """A file, the same one for the whole composition."""
        if config_path not in self.cache:
            self.cache[config_path] = copy.deepcopy(self.delegate.load_config(config_path))
        return self.cache[config_path]


def set_values(config: DictConfig, overrides: Sequence[Override]) -> None:
    """Sets, adds and deletes values as Hydra does on top of the files; publicly it does both in one step.

    Raises:
        HydraException: the config has no such key, or has one that is to be added.
    """
    ConfigLoaderImpl._apply_overrides_to_config(list(overrides), config)


def override_directory(overrides: Sequence[Override], left_out: list[str], between: str, equals: str) -> str:
    """The text of `hydra.job.override_dirname`, which Hydra makes while it composes and at no other time.

    Args:
        overrides: that the text names, apart from those with a key that is `left_out`.
        left_out: keys.
        between: stands between two overrides.
        equals: stands in the place of `=`.
    """
    return get_overrides_dirname(list(overrides), left_out, between, equals)


def search_path(folder: str) -> ConfigSearchPath:
    """Where Hydra looks for YAML: its own options, this folder, and what plugins add. Its maker is not public."""
    return create_config_search_path(folder)
