"""Composes configs in Hydra's single steps, which its public `compose` only does all at once."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hydra._internal import defaults_list
from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra._internal.config_repository import CachingConfigRepository
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.override_parser.types import Override, OverrideType
from hydra.plugins.config_source import ConfigResult
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from dltrain.internals.hydra_keys import OPEN

NAMES = (
    "hydra._internal.config_loader_impl.ConfigLoaderImpl._apply_overrides_to_config",
    "hydra._internal.config_loader_impl.ConfigLoaderImpl._load_configuration_impl",
    "hydra._internal.config_loader_impl.ConfigLoaderImpl._parse_overrides_and_create_caching_repo",
    "hydra._internal.config_loader_impl.get_overrides_dirname",
    "hydra._internal.config_repository.CachingConfigRepository",
    "hydra._internal.defaults_list._create_interpolation_map",
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


set_as_hydra_does = ConfigLoaderImpl._apply_overrides_to_config


def set_values(config: DictConfig, overrides: Sequence[Override]) -> None:
    """Sets, adds and deletes values, as Hydra does after merging the files.

    Entries are added to null as to a mapping, and to the keys in OPEN without a plus.

    Raises:
        HydraException: If a key does not exist, or one that is to be added exists.
    """
    for override in overrides:
        key, value = override.key_or_group, override.value()
        parent, _, name = key.rpartition(".")
        null = bool(parent and name) and _is_null(config, parent)
        if (override.is_add() and null) or (parent in OPEN and (null or _is_mapping(config, parent))):
            if null:
                OmegaConf.update(config, parent, {})
            override = replace(override, type=OverrideType.DEL if override.is_delete() else OverrideType.FORCE_ADD)
        if key in OPEN and isinstance(value, dict) and (_is_null(config, key) or _is_mapping(config, key)):
            entries = {} if _is_null(config, key) else OmegaConf.select(config, key)
            OmegaConf.update(config, key, {**entries, **{str(each): value[each] for each in value}}, merge=False)
            continue
        set_as_hydra_does([override], config)
        if isinstance(value, dict):
            text_keys(OmegaConf.select(config, key))


def _is_mapping(config: DictConfig, key: str) -> bool:
    return isinstance(OmegaConf.select(config, key), DictConfig)


# Hydra's own loader composes as well, for --cfg and --info.
ConfigLoaderImpl._apply_overrides_to_config = staticmethod(  # type: ignore[method-assign]
    lambda overrides, cfg: set_values(cfg, overrides)
)


map_of_choices = defaults_list._create_interpolation_map


def _map_where_it_is_read(overrides: Any, entries: list[Any], self_added: bool) -> DictConfig:
    """Maps the choices only for a file whose defaults name others by them, since the map costs a third of composing."""
    if any(not each.is_self() and each.is_interpolation() for each in entries):
        return map_of_choices(overrides, entries, self_added)
    return OmegaConf.create()


defaults_list._create_interpolation_map = _map_where_it_is_read  # type: ignore[assignment]


def text_keys(node: Any) -> None:
    """Makes text of every key of a mapping and of those in it, since YAML and Hydra read `{0: 1}` with a number."""
    for key in list(node) if isinstance(node, DictConfig) else []:
        if not OmegaConf.is_missing(node, key) and not OmegaConf.is_interpolation(node, key):
            text_keys(node[key])
        if not isinstance(key, str):
            with open_dict(node):
                node[str(key)] = node.pop(key)


def _is_null(config: DictConfig, key: str) -> bool:
    owner, _, name = key.rpartition(".")
    node = OmegaConf.select(config, owner) if owner else config
    return isinstance(node, DictConfig) and name in node and OmegaConf.select(config, key) is None


def override_directory(overrides: Sequence[Override], left_out: list[str], between: str, equals: str) -> str:
    """Returns the text of `hydra.job.override_dirname`, which Hydra makes only while it composes.

    Overrides of the keys `left_out` are left out; `between` separates overrides, and `equals` replaces `=`.
    """
    return get_overrides_dirname(list(overrides), left_out, between, equals)


def search_path(folder: str) -> ConfigSearchPath:
    """Returns where Hydra looks for YAML: its own options, this folder, and the folders of plugins."""
    return create_config_search_path(folder)
