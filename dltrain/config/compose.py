"""Composes folders of YAML and the words of a command line to one checked config, or to all of its faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from dltrain.base.errors import ConfigError
from dltrain.config import conformity, options
from dltrain.config.auto_model import AUTO
from dltrain.config.conformity import look_up
from dltrain.config.hydra_node import record, resolving, unresolved_directories
from dltrain.config.loader import Loader, folders_of_options
from dltrain.config.moved_paths import rename_typed
from dltrain.config.near_keys import NearKeys
from dltrain.config.overrides import apply, grid_jobs, not_listed, parse
from dltrain.config.plain_words import sentence
from dltrain.config.schema import Config
from dltrain.config.search_space import corners, dimensions
from dltrain.internals.hydra_loading import Repository

# The errors of faults in YAML or in overrides; Hydra refuses some options with a ValueError.
COMPOSITION_ERRORS = (HydraException, OmegaConfBaseException, YAMLError, ValueError)
# Groups that others choose
INTERNAL = ("hydra", "shrink")
# Further jobs of a sweep are not checked before it starts, since thousands would take long.
MOST_JOBS_CHECKED = 64
ONE_SEARCH = "search: a job would be a search of its own: expected one for the whole sweep, such as search=random."


def conf_directory() -> Path:
    """Returns the folder of shipped YAML: the wheel's copy, else the one of the checkout."""
    package = Path(__file__).parents[1]
    return package / "conf" if (package / "conf").is_dir() else package.parent / "conf"


def _key_of(fault: str) -> str:
    return fault.partition(":")[0]


def _below(fault: str, keys: Collection[str]) -> bool:
    """Returns whether a fault is of one of the keys, or of one in it."""
    return any(f"{_key_of(fault)}.".startswith(f"{key}.") for key in keys)


class Composer:
    """Composes and checks one job after another from the same folders.

    `directory` holds `config_name`, the YAML to start from; None is the shipped folder. `extra_directory` is searched
    in addition.
    """

    def __init__(
        self, directory: Path | None = None, extra_directory: Path | None = None, config_name: str = "config"
    ) -> None:
        setup_globals()
        self.loader = Loader(folders_of_options(directory or conf_directory(), extra_directory))
        self.parser = OverridesParser.create(config_loader=self.loader)
        self.config_name = config_name

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """Returns the checked config of one job; overrides are `key=value`, `group=option`, `+key=value` or `~key`.

        Raises:
            ConfigError: If there are faults; all of them are named.
        """
        config, faults = self.check(overrides)
        if faults or config is None:
            raise ConfigError(faults)
        return config

    def compose_sweep(self, overrides: Sequence[str]) -> DictConfig:
        """Returns the config that a sweep starts from, after its first jobs have been checked.

        Raises:
            ConfigError: If there are faults; all of them are named, with the job unless all jobs have the fault.
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

    def groups(self) -> dict[str, list[str]]:
        """Returns the options of each group that is chosen without another one."""
        _, repository = self.loader.parse(self.config_name, [])
        names = repository.get_group_options("", ObjectType.GROUP)
        return {name: repository.get_group_options(name, ObjectType.CONFIG) for name in names if name not in INTERNAL}

    def near_keys(self) -> NearKeys:
        """Returns what finds the keys of the config that stands where nothing is typed."""
        _, repository = self.loader.parse(self.config_name, [])
        return NearKeys(self._load((), RunMode.RUN), repository, {})

    def check(self, overrides: Sequence[str]) -> tuple[DictConfig | None, list[str]]:
        """Returns the config of one job, or None if it cannot be composed, and a sentence for every fault of it."""
        from dltrain.config import validate

        parsed, faults = parse(self.parser, overrides)
        # Nothing that follows from a key or group without a valid value is a fault of its own.
        unclear = {_key_of(fault) for fault in faults} - {each.key_or_group for each in parsed}
        try:
            choices, values, unknown, repository = self._sort(parsed, unclear)
        except COMPOSITION_ERRORS as error:
            return None, [*faults, sentence(error)]
        config, blamed = self._choose(choices)
        unreadable = faults
        faults = unknown + blamed
        if config is None:
            return None, [*unreadable, *faults]
        unlisted: dict[str, str] = {}
        if config.hydra.runtime.choices.get("model") == AUTO:
            # The keys of the model are checked once the data have decided which it is.
            values = [each for each in values if not each.key_or_group.startswith("model.")]
        for override in values:
            faults += [fault for fault in apply(override, config, unlisted, repository) if not _below(fault, unclear)]
        rename_typed(config, overrides)
        record(config, parsed)
        with resolving(config):
            typed = {each.key_or_group: each.get_value_string() for each in parsed if not each.is_delete()}
            near = cache(lambda: NearKeys(config, repository, typed, unlisted))
            unlike = conformity.faults(config, Config, lambda key, siblings: near()(key, siblings))
            suggested = near().suggested if any(" no such key" in fault for fault in unlike) else set()
            unlike = [
                fault
                for fault in unlike
                if not _below(fault, unclear) and not (_key_of(fault) in suggested and "got none" in fault)
            ]
            # A text in quotes where a number is expected: the second sentence says it all.
            faults = [*(each for each in unreadable if _key_of(each) not in map(_key_of, unlike)), *faults]
            beyond = [] if unclear else validate.faults(config, lenient=bool(faults or unlike or unlisted))
            told = [fault.partition(":")[0] for fault in unlike]
            beyond = [fault for fault in beyond if fault.partition(":")[0] not in told]
            told += [fault.partition(" has no effect")[0] for fault in beyond if " has no effect" in fault]
            for key, fault in unlisted.items():
                if not any(
                    f"{key}.".startswith(f"{each}.") or each.startswith(f"{key}.") for each in (*told, *unclear)
                ):
                    unlike.append(fault)
            faults += unlike + beyond
            return config, faults or unresolved_directories(config)

    def options(self, overrides: Sequence[str]) -> DictConfig | None:
        """Returns the config of the options that the words choose, before any value; None if they cannot be chosen."""
        try:
            choices = self._sort(parse(self.parser, overrides)[0], set())[0]
        except COMPOSITION_ERRORS:
            return None
        return self._base(choices)[0]

    def _sort(
        self, parsed: Sequence[Override], unclear: set[str]
    ) -> tuple[tuple[str, ...], list[Override], list[str], Repository]:
        """Sorts overrides into choices of options and values, and returns the faults of those that are neither.

        An unknown option is replaced by the one that is nearest; if none is near, the group is added to `unclear`.
        """
        choices, values, faults = [], [], []
        added = [str(each.input_line) for each in parsed if each.key_or_group == "hydra.searchpath"]
        _, repository = self.loader.parse(self.config_name, added)
        default = cache(lambda: self._base(())[0])
        for each in parsed:
            key, value = each.key_or_group, each.value()
            if each.is_sweep_override():
                faults.append(options.several(each, look_up(default(), key), is_group=repository.group_exists(key)))
                unclear.add(key)
            elif key == "hydra.searchpath":
                choices.append(str(each.input_line))
            elif not repository.group_exists(key) or isinstance(value, dict):
                values.append(each)
            elif each.is_delete():
                choices.append(str(each.input_line))
            elif each.is_add() and key in (look_up(default(), "hydra.runtime.choices") or {}):
                meant = f"{key}={each.get_value_string()}"
                faults.append(f"{key}: an option is chosen already. Write {meant} to choose another.")
            elif each.is_force_add():
                faults.append(f"{key}: expected {key}=… or +{key}=…, got ++{key}=….")
            else:
                found = options.check(each, repository.get_group_options(key, ObjectType.CONFIG))
                faults += found.faults
                if found.choice:
                    choices.append(found.choice)
                else:
                    unclear.add(key)
        return tuple(choices), values, faults, repository

    def _choose(self, choices: tuple[str, ...]) -> tuple[DictConfig | None, list[str]]:
        """Returns the config of those choices that can be composed, before any value, and the faults of the others."""
        config, failure = self._base(choices)
        if config is not None:
            return config, []
        alone = {line: self._base((line,))[1] for line in choices}
        good = tuple(line for line in choices if not alone[line])
        config, rest = self._base(good)
        faults = [*filter(None, alone.values()), *([rest] if rest else [])]
        return config, list(dict.fromkeys(faults)) or [failure]

    def _base(self, choices: tuple[str, ...]) -> tuple[DictConfig | None, str]:
        """Returns a new copy of the config of some choices, or the sentence that says why there is none."""
        try:
            return self._load(choices, RunMode.RUN), ""
        except COMPOSITION_ERRORS as error:
            return None, sentence(error)

    def _load(self, overrides: Sequence[str], mode: RunMode) -> DictConfig:
        return self.loader.load_configuration(self.config_name, list(overrides), mode, from_shell=False)

    def jobs(self, overrides: Sequence[str]) -> list[list[str]]:
        """Returns the overrides of every job of a sweep."""
        parsed, faults = parse(self.parser, overrides)
        if faults:
            raise ConfigError(faults)
        try:
            config = self._load(overrides, RunMode.MULTIRUN)
        except COMPOSITION_ERRORS:  # the check of each job names the faults
            config = None
        return self._jobs(parsed, config)[0]

    def _jobs(self, parsed: list[Override], config: DictConfig | None) -> tuple[list[list[str]], set[str]]:
        """Returns the overrides of the first jobs of a sweep, and the keys that differ between jobs."""
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
        """Returns the jobs at the ends of a search's space, one key after the other, and the keys of the space."""
        try:
            space = dimensions(config.search.space)
        except ConfigError:  # the check of the base job names the faults
            return [words], set()
        jobs = [[*words, *(f"{key}={value}" for key, value in drawn.items())] for drawn in corners(space, config)]
        return [words, *jobs], {dimension.key for dimension in space}
