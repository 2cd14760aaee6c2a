"""From folders of YAML and the words of a command line to one checked config, or to all of its faults."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hydra.core.config_search_path import SearchPathQuery
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.config import conformity
from dltrain.config.hydra_node import record, resolving, unresolved_directories
from dltrain.config.loader import Loader
from dltrain.config.moved_paths import rename_typed
from dltrain.config.overrides import apply, grid_jobs, not_listed, parse, sentence
from dltrain.config.schema import Config
from dltrain.config.search_space import corners, dimensions
from dltrain.internals.hydra_loading import search_path

log = logging.getLogger(__name__)

# What a fault in YAML or in an override raises; Hydra refuses some choices of options with a ValueError.
COMPOSITION_ERRORS = (HydraException, OmegaConfBaseException, YAMLError, ValueError)
# A sweep of thousands is not held up by checking each of its jobs.
MOST_JOBS_CHECKED = 64
ONE_SEARCH = "search: a job would be a search of its own: expected one for the whole sweep, such as search=random."
# Launchers that come with an extra of dltrain, whose options are there where it is installed.
LAUNCHERS = {"joblib": "parallel", "submitit_local": "slurm", "submitit_slurm": "slurm"}


def conf_directory() -> Path:
    """The folder of shipped YAML: the wheel's copy, else the one of the checkout."""
    package = Path(__file__).parents[1]
    return package / "conf" if (package / "conf").is_dir() else package.parent / "conf"


def compose(
    overrides: Sequence[str],
    config_directory: Path | None = None,
    *,
    extra_directory: Path | None = None,
    config_name: str = "config",
) -> DictConfig:
    """The checked config of a single run, `hydra` node included.

    Args:
        overrides: `key=value`, `group=option`, `+key=value`, `~key`, as typed.
        config_directory: the folder of `config_name`; the shipped one by default.
        extra_directory: a folder that is searched in addition.
        config_name: name of the YAML to start from.

    Raises:
        ConfigError: all faults of overrides, YAML, types, targets and combinations.
    """
    return Composer(config_directory, extra_directory, config_name).compose(overrides)


class Composer:
    """Composes and checks job after job from the same folders.

    Args:
        directory: the folder of `config_name`; the shipped one by default.
        extra_directory: a folder that is searched in addition.
        config_name: name of the YAML to start from.

    Raises:
        ConfigError: a folder does not exist.
    """

    def __init__(
        self,
        directory: Path | None = None,
        extra_directory: Path | None = None,
        config_name: str = "config",
    ) -> None:
        setup_globals()
        directory = directory or conf_directory()
        folders = search_path(str(directory.resolve()))
        if extra_directory is not None:
            if not extra_directory.is_dir():
                raise ConfigError(f"--config-dir expects a folder, there is none at '{extra_directory}'.")
            _warn_of_shadows(extra_directory, directory)
            path = f"file://{extra_directory.resolve()}"
            folders.prepend("command-line", path, SearchPathQuery(provider="schema"))
        self.loader = Loader(folders)
        self.parser = OverridesParser.create(config_loader=self.loader)
        self.config_name = config_name

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """The checked config of one job.

        Raises:
            ConfigError: every fault found.
        """
        config, faults = self.check(overrides)
        if faults or config is None:
            raise ConfigError(faults)
        return config

    def compose_sweep(self, overrides: Sequence[str]) -> DictConfig:
        """The config that a sweep starts from, after its jobs have been checked.

        Raises:
            ConfigError: every fault found, with the job that has it where not all of them do.
        """
        parsed, faults = parse(self.parser, overrides)
        if faults:
            raise ConfigError(faults)
        config = failure = None
        try:
            config = self._load(overrides, RunMode.MULTIRUN)
        except COMPOSITION_ERRORS as error:
            failure = sentence(error)
        jobs, swept = self._jobs(parsed, config)
        counts = Counter(map(tuple, jobs))
        if repeated := [job for job, count in counts.items() if count > 1]:
            words = " ".join(word for word in repeated[0] if word.partition("=")[0] in swept)
            faults.append(f"-m: {counts[repeated[0]]} jobs are the same ({words}). Name each value once.")
        if config is not None and config.search is not None and len(jobs) == 1:
            jobs, swept = self._corners(jobs[0], config)
        found: dict[str, list[list[str]]] = {}
        jobs = jobs[:MOST_JOBS_CHECKED]
        for job in jobs:
            own, own_faults = self.check(job)
            if config is not None and config.search is None and own is not None and own.search is not None:
                own_faults = [*own_faults, ONE_SEARCH]
            for fault in own_faults:
                found.setdefault(fault, []).append(job)
        for fault, having in found.items():
            words = " ".join(word for word in having[0] if word.partition("=")[0] in swept)
            faults.append(fault if len(having) == len(jobs) else f"{fault} (In the job with {words}.)")
        if config is not None and str((config.strategy or {}).get("_target_")).endswith(".multi_worker"):
            faults.append("strategy=multi_worker joins processes for one run: expected no -m, or strategy=none.")
        if faults or config is None:
            raise ConfigError(faults or str(failure))
        return config

    def check(self, overrides: Sequence[str]) -> tuple[DictConfig | None, list[str]]:
        """The config of one job as far as it can be composed, and every fault of it, a sentence each."""
        from dltrain.config import validate

        parsed, faults = parse(self.parser, overrides)
        try:
            choices, values, unknown = self._sort(parsed)
        except COMPOSITION_ERRORS as error:
            return None, [*faults, sentence(error)]
        config, blamed = self._choose(choices)
        faults += unknown + blamed
        if config is None:
            return None, faults
        unlisted: dict[str, str] = {}
        for override in values:
            faults += apply(override, config, unlisted)
        rename_typed(config, overrides)
        record(config, parsed)
        with resolving(config):
            unlike = conformity.faults(config, Config)
            beyond = validate.faults(config, lenient=bool(faults or unlike or unlisted))
            told = [fault.partition(":")[0] for fault in unlike]
            told += [fault.partition(" has no effect")[0] for fault in beyond if " has no effect" in fault]
            for key, fault in unlisted.items():
                if not any(f"{key}.".startswith(f"{each}.") or each.startswith(f"{key}.") for each in told):
                    unlike.append(fault)
            faults += unlike + beyond
            return config, faults or unresolved_directories(config)

    def _sort(self, parsed: Sequence[Override]) -> tuple[tuple[str, ...], list[Override], list[str]]:
        """Choices of options, values, and the faults of those that are neither."""
        choices, values, faults = [], [], []
        added = [str(each.input_line) for each in parsed if each.key_or_group == "hydra.searchpath"]
        _, repository = self.loader.parse(self.config_name, added)
        for each in parsed:
            key, value = each.key_or_group, each.value()
            if each.is_sweep_override():
                what = "options" if repository.group_exists(key) else f"values ({key}=[…] is one list)"
                faults.append(f"{key}: '{each.get_value_string()}' is several {what}. Add -m to run all.")
            elif key == "hydra.searchpath":
                choices.append(str(each.input_line))
            elif not repository.group_exists(key) or isinstance(value, dict):
                values.append(each)
            elif each.is_delete():
                choices.append(str(each.input_line))
            else:
                options = repository.get_group_options(key, ObjectType.CONFIG)
                names = [
                    "null" if name is None else str(name) for name in (value if isinstance(value, list) else [value])
                ]
                wrong = [name for name in names if name not in options]
                faults += [
                    f"{key}: '{name}' needs pip install 'dltrain[{LAUNCHERS[name]}]'."
                    if key == "hydra/launcher" and name in LAUNCHERS
                    else f"{key}: there is no option '{name}'.{did_you_mean(name, options)}"
                    for name in wrong
                ]
                if not wrong:
                    choices.append(str(each.input_line))
        return tuple(choices), values, faults

    def _choose(self, choices: tuple[str, ...]) -> tuple[DictConfig | None, list[str]]:
        """The config of some choices before any value, without those choices that fail, and their faults."""
        config, failure = self._base(choices)
        if config is not None:
            return config, []
        alone = {line: self._base((line,))[1] for line in choices}
        good = tuple(line for line in choices if not alone[line])
        config, rest = self._base(good)
        faults = [*filter(None, alone.values()), *([rest] if rest else [])]
        return config, list(dict.fromkeys(faults)) or [failure]

    def _base(self, choices: tuple[str, ...]) -> tuple[DictConfig | None, str]:
        """A fresh copy of the config of some choices, or the sentence that says why there is none."""
        try:
            return self._load(choices, RunMode.RUN), ""
        except COMPOSITION_ERRORS as error:
            return None, sentence(error)

    def _load(self, overrides: Sequence[str], mode: RunMode) -> DictConfig:
        return self.loader.load_configuration(self.config_name, list(overrides), mode, from_shell=False)

    def jobs(self, overrides: Sequence[str]) -> list[list[str]]:
        """The overrides of every job of a sweep.

        Raises:
            ConfigError: an override cannot be read.
        """
        parsed, faults = parse(self.parser, overrides)
        if faults:
            raise ConfigError(faults)
        try:
            config = self._load(overrides, RunMode.MULTIRUN)
        except COMPOSITION_ERRORS:  # the check of each job tells
            config = None
        return self._jobs(parsed, config)[0]

    def _jobs(self, parsed: list[Override], config: DictConfig | None) -> tuple[list[list[str]], set[str]]:
        """The overrides of the first jobs of a sweep, and the keys that differ between jobs."""
        sweeper = config.hydra.sweeper if config is not None else {}
        if not str(sweeper.get("_target_", "BasicSweeper")).endswith(("BasicSweeper", "DltrainSweeper")):
            return [[str(each.input_line) for each in parsed if not each.is_sweep_override()]], set()
        params = parse(self.parser, [f"{key}={value}" for key, value in (sweeper.get("params") or {}).items()])[0]
        swept = {each.get_key_element() for each in [*params, *parsed] if each.is_sweep_override()}
        if intervals := [each for each in [*params, *parsed] if each.is_interval_sweep()]:
            raise ConfigError([not_listed(each) for each in intervals])
        try:
            return grid_jobs([*params, *parsed]), swept
        except HydraException as error:
            raise ConfigError(sentence(error)) from None

    def _corners(self, words: list[str], config: DictConfig) -> tuple[list[list[str]], set[str]]:
        """The jobs at the ends of a search's space, one key after the other, and the keys of the space."""
        try:
            space = dimensions(config.search.space)
        except ConfigError:  # the base job tells
            return [words], set()
        jobs = [[*words, *(f"{key}={value}" for key, value in drawn.items())] for drawn in corners(space, config)]
        return [words, *jobs], {dimension.key for dimension in space}


def _warn_of_shadows(extra: Path, shipped: Path) -> None:
    for file in sorted(extra.rglob("*.yaml")):
        name = file.relative_to(extra)
        if (shipped / name).exists():
            log.warning("'%s' is not used: dltrain ships '%s', which wins. Give the file another name.", file, name)
