"""Composes each choice of options once; what differs only in values gets copies of it."""

from __future__ import annotations

import logging
import os
import pickle
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from copy import deepcopy
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

MOST_KEPT = 256  # of configs, one for each choice of options; each of 25 kB
MOST_FOLDERS = 4  # of sets of folders, or of states of their files


@dataclass
class _Kept:
    """What was read from files that have not changed since."""

    repository: Repository
    bases: OrderedDict[tuple[RunMode, tuple[str, ...]], bytes | DictConfig] = field(default_factory=OrderedDict)


# Kept for the process, so that several commands in one Python process read the files once.
_kept: OrderedDict[Hashable, _Kept] = OrderedDict()


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
        if any("hydra.searchpath" in word for word in overrides):
            return in_full(overrides)
        parsed = OverridesParser.create().parse_overrides(overrides)
        swept = [each for each in parsed if each.is_sweep_override()]
        if swept and (run_mode is RunMode.RUN or any(each.is_hydra_override() for each in swept)):
            return in_full(overrides)  # which refuses them
        kept = self._unchanged(config_name)
        fixed = [each for each in parsed if each not in swept]  # what is swept is set in the jobs
        values = [
            each
            for each in fixed
            if isinstance(each.value(), dict) or not kept.repository.group_exists(each.key_or_group)
        ]
        choices = tuple(str(each.input_line) for each in fixed if not any(each is value for value in values))
        key = run_mode, choices
        if key not in kept.bases:
            kept.bases[key] = _packed(in_full(list(choices)))
            if len(kept.bases) > MOST_KEPT:
                kept.bases.popitem(last=False)
        kept.bases.move_to_end(key)
        return _with_values(_unpacked(kept.bases[key]), values, parsed)

    def parse(self, config_name: str | None, overrides: list[str]) -> tuple[list[Override], Repository]:
        """Returns the parsed overrides, and the files among which they choose."""
        if any("hydra.searchpath" in word for word in overrides):
            return super().parse(config_name, overrides)
        return OverridesParser.create().parse_overrides(overrides), Copies(self._unchanged(config_name).repository)

    def _unchanged(self, config_name: str | None) -> _Kept:
        folders = [str(each.path).removeprefix("file://") for each in self.config_search_path.get_path()]
        files = tuple(state for each in folders if "://" not in each for state in _files(each))
        places = tuple(each if "://" in each else str(Path(each).absolute()) for each in folders)
        key = config_name, places, files
        if key not in _kept:
            _kept[key] = _Kept(super().parse(config_name, [])[1])
            if len(_kept) > MOST_FOLDERS:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return _kept[key]


def _packed(config: DictConfig) -> bytes | DictConfig:
    """Returns what copies of a config are made of."""
    try:
        return pickle.dumps(config, pickle.HIGHEST_PROTOCOL)
    except pickle.PicklingError:  # Hydra loads the classes of plugins anew, so that the module has others by then
        return config


def _unpacked(packed: bytes | DictConfig) -> DictConfig:
    copy: DictConfig = pickle.loads(packed) if isinstance(packed, bytes) else deepcopy(packed)
    return copy


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


def _with_values(config: DictConfig, values: Sequence[Override], parsed: Sequence[Override]) -> DictConfig:
    set_values(config, values)
    rename_typed(config, [str(each.input_line) for each in values])
    record(config, parsed)
    config.hydra.runtime.cwd = str(Path.cwd())
    with open_dict(config.hydra):
        for name in config.hydra.job.env_copy:
            config.hydra.job.env_set[name] = os.environ[name]
    return config
