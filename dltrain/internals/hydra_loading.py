"""Composes configs in Hydra's single steps, which its public `compose` only does all at once."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

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
    """Hydra's loader with two steps that can be overridden, since Hydra has no public place for another loader."""

    def merge(self, config_name: str | None, overrides: list[str], run_mode: RunMode, **options: Any) -> DictConfig:
        """Returns the config of the chosen files and values."""
        return super()._load_configuration_impl(config_name, overrides, run_mode, **options)

    def parse(self, config_name: str | None, overrides: list[str]) -> tuple[list[Override], Repository]:
        """Returns the parsed overrides, and the files among which they choose."""
        return super()._parse_overrides_and_create_caching_repo(config_name, overrides)

    def _load_configuration_impl(self, *arguments: Any, **options: Any) -> DictConfig:
        return self.merge(*arguments, **options)

    def _parse_overrides_and_create_caching_repo(self, *arguments: Any, **options: Any) -> Any:
        return self.parse(*arguments, **options)


class Copies(Repository):
    """Copies the files of a repository for one composition, since Hydra merges and sets values in them."""

    def __init__(self, shared: Repository) -> None:
        self.delegate, self.cache = shared, {}

    def load_config(self, config_path: str) -> ConfigResult | None:
        """Returns a file, the same copy for the whole composition."""
        if config_path not in self.cache:
            self.cache[config_path] = copy.deepcopy(self.delegate.load_config(config_path))
        return self.cache[config_path]


def set_values(config: DictConfig, overrides: Sequence[Override]) -> None:
    """Sets, adds and deletes values, as Hydra does after merging the files.

    Raises:
        HydraException: If a key does not exist, or one that is to be added exists.
    """
    ConfigLoaderImpl._apply_overrides_to_config(list(overrides), config)


def override_directory(overrides: Sequence[Override], left_out: list[str], between: str, equals: str) -> str:
    """Returns the text of `hydra.job.override_dirname`, which Hydra makes only while it composes.

    Overrides of the keys `left_out` are left out; `between` separates overrides, and `equals` replaces `=`.
    """
    return get_overrides_dirname(list(overrides), left_out, between, equals)


def search_path(folder: str) -> ConfigSearchPath:
    """Returns where Hydra looks for YAML: its own options, this folder, and the folders of plugins."""
    return create_config_search_path(folder)
