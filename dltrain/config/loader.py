"""Composes each choice of options once; jobs that differ only in values get copies of it."""

from __future__ import annotations

import copy
import logging
import os
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict

from dltrain.base.errors import ConfigError
from dltrain.config.hydra_node import record
from dltrain.config.moved_paths import rename_moved, rename_typed, rename_written, typed_today
from dltrain.internals.hydra_loading import Copies, HydraLoader, Repository, search_path, set_values, text_keys

log = logging.getLogger(__name__)

MOST_KEPT = 64  # of configs, one for each choice of options


@dataclass
class _Kept:
    """What was read from files that have not changed since."""

    repository: Repository
    bases: OrderedDict[tuple[str, ...], DictConfig] = field(default_factory=OrderedDict)


# Kept for the process, so that several commands in one Python process read the files once.
_kept: dict[Hashable, _Kept] = {}


def folders_of_options(directory: Path, extra: Path | None) -> ConfigSearchPath:
    """Returns the folders that Hydra searches; warns of a file in the extra one that has the name of a shipped one.

    Raises:
        ConfigError: If the extra folder does not exist.
    """
    folders = search_path(str(directory.resolve()))
    if extra is not None:
        if not extra.is_dir():
            raise ConfigError(f"--config-dir expects a folder, there is none at '{extra}'.")
        for file in sorted(extra.rglob("*.yaml")):
            name = file.relative_to(extra)
            if (directory / name).exists():
                log.warning("'%s' is not used: dltrain ships '%s', which wins. Give the file another name.", file, name)
        folders.prepend("command-line", f"file://{extra.resolve()}", SearchPathQuery(provider="schema"))
    return folders


class Loader(HydraLoader):
    """Hydra's loader, which reads and merges YAML only for a new choice of options.

    Hydra merges the chosen files before it sets values, so that setting the values in a copy of the merged files gives
    the same config. Changed files are read again.
    """

    def merge(self, config_name: str | None, overrides: list[str], run_mode: RunMode, **options: Any) -> DictConfig:
        """Returns the config of the chosen files and values, as Hydra would compose it."""

        def in_full(words: list[str]) -> DictConfig:
            config = HydraLoader.merge(self, config_name, words, run_mode, **options)
            rename_moved(config)
            rename_written(config)
            text_keys(config)
            return config

        overrides = typed_today(overrides)
        if run_mode is not RunMode.RUN or any("hydra.searchpath" in word for word in overrides):
            return in_full(overrides)
        parsed = OverridesParser.create().parse_overrides(overrides)
        if any(each.is_sweep_override() for each in parsed):
            return in_full(overrides)
        kept = self._unchanged(config_name)
        values = [
            each
            for each in parsed
            if isinstance(each.value(), dict) or not kept.repository.group_exists(each.key_or_group)
        ]
        choices = tuple(str(each.input_line) for each in parsed if not any(each is value for value in values))
        if choices not in kept.bases:
            kept.bases[choices] = in_full(list(choices))
            if len(kept.bases) > MOST_KEPT:
                kept.bases.popitem(last=False)
        kept.bases.move_to_end(choices)
        return _with_values(kept.bases[choices], values, parsed)

    def parse(self, config_name: str | None, overrides: list[str]) -> tuple[list[Override], Repository]:
        """Returns the parsed overrides, and the files among which they choose."""
        if any("hydra.searchpath" in word for word in overrides):
            return super().parse(config_name, overrides)
        return OverridesParser.create().parse_overrides(overrides), Copies(self._unchanged(config_name).repository)

    def _unchanged(self, config_name: str | None) -> _Kept:
        folders = [str(each.path).removeprefix("file://") for each in self.config_search_path.get_path()]
        files = tuple(state for each in folders if "://" not in each for state in _files(each))
        key = config_name, tuple(folders), str(Path.cwd()), files
        if key not in _kept:
            _kept.clear()
            _kept[key] = _Kept(super().parse(config_name, [])[1])
        return _kept[key]


def _files(folder: str) -> list[tuple[str, int, int]]:
    """Returns path, time and size of every file below a folder, or nothing if there is no folder."""
    found: list[tuple[str, int, int]] = []
    if not Path(folder).is_dir():
        return found
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                found += _files(entry.path)
            else:
                state = entry.stat()
                found.append((entry.path, state.st_mtime_ns, state.st_size))
    return found


def _with_values(base: DictConfig, values: Sequence[Override], parsed: Sequence[Override]) -> DictConfig:
    config = copy.deepcopy(base)
    set_values(config, values)
    rename_typed(config, [str(each.input_line) for each in values])
    record(config, parsed)
    with open_dict(config.hydra):
        for name in config.hydra.job.env_copy:
            config.hydra.job.env_set[name] = os.environ[name]
    return config
