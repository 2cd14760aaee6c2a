"""Lists the jobs of a command line with their faults, without heavy imports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import DictConfig

from dltrain.base.errors import ConfigError
from dltrain.config.compose import ONE_SEARCH, Composer
from dltrain.config.overrides import parse


@dataclass(frozen=True)
class Planned:
    """A planned job."""

    overrides: list[str]
    config: DictConfig | None  # the composed config; None if that failed
    faults: list[str] = field(default_factory=list)  # a sentence for each
    count: int = 1  # the number of jobs of this kind; more than one if a search draws them later


def planned(overrides: Sequence[str], *, sweep: bool, config_directory: Path | None) -> list[Planned]:
    """Returns the jobs of a command line; `sweep` tells whether `-m` was given.

    `config_directory` is a further folder of options.
    """
    composer = Composer(extra_directory=config_directory)
    parsed, faults = parse(composer.parser, overrides)
    if faults:
        raise ConfigError(faults)
    swept = any(each.is_sweep_override() for each in parsed)
    if swept and not sweep:
        composer.compose(overrides)  # raises an error that names the keys with several values
    jobs = composer.jobs(overrides) if swept else [list(overrides)]
    checked = [Planned(job, *composer.check(job)) for job in jobs]
    first = checked[0].config
    searching = [each.config is not None and each.config.search is not None for each in checked]
    if first is None or checked[0].faults or not any(searching):
        return checked
    if not all(searching) or any(each.is_sweep_override() and each.key_or_group == "search" for each in parsed):
        raise ConfigError(ONE_SEARCH)
    if swept:
        raise ConfigError("search: a key with several values cannot join a search. Put it into search.space.")
    if first.search.get("minutes") is not None:
        raise ConfigError(
            "search=best: its jobs follow from the data and from the time that each takes, so that none can be listed "
            f"before. All of them together take {first.search.minutes:g} minutes (search.minutes)."
        )
    if first.search.points is None:
        return [Planned(list(overrides), first, [], first.search.jobs)]
    from dltrain.config.search_space import dimensions, grid

    points = grid(dimensions(first.search.space), first.search.points, first)
    jobs = [[*overrides, *(f"{key}={value}" for key, value in point.items())] for point in points]
    return [Planned(job, *composer.check(job)) for job in jobs]
