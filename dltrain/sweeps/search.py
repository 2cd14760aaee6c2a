"""Runs a search: an Optuna sampler that has seen the jobs of the ledger draws each next job."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from dltrain.base.errors import ConfigError
from dltrain.base.show import show
from dltrain.config.build import build
from dltrain.config.search_dimension import Dimension
from dltrain.config.search_objectives import directions
from dltrain.config.search_space import dimensions, draw, grid
from dltrain.sweeps.job import workers_at_once
from dltrain.sweeps.ledger import Entry, Ledger
from dltrain.sweeps.ranking import settings_of, values_of
from dltrain.sweeps.remaining import Job, remaining

STATES = {"completed": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
TRIES = 50  # to draw a job that was not drawn before


def jobs_of(
    jobs: list[list[str]], config: DictConfig, ledger: Ledger, loader: ConfigLoader
) -> tuple[int, Iterator[Job | None]]:
    """Returns the number of jobs of a search, and those that are left; None where a job must end before the next one.

    `jobs` holds one list, the words of the command line that all jobs share. A job is drawn from the results of all
    jobs but the last `search.at_once` - 1 before it, whichever have ended by then, so that it does not depend on how
    many run at once.
    """
    if len(jobs) != 1:
        raise ConfigError(
            "search: a key with several values on the command line cannot join a search. "
            "Put it into the space, as '+search.space.optimizer.choices=[adam,sgd]'."
        )
    (words,) = jobs
    space = free_dimensions(config, words)
    if config.search.points is not None:
        points = grid(space, config.search.points, config)
        left = remaining([_with(words, point) for point in points], config, ledger, loader)
        return len(ledger.entries()) + len(left), iter(left)
    return config.search.jobs, _drawn(space, words, config, ledger, jobs_at_once(config))


def jobs_at_once(config: DictConfig) -> int:
    """Returns how many jobs of a search may be under way."""
    at_once = config.search.at_once
    return workers_at_once(config.hydra.launcher) if at_once == "auto" else int(at_once)


def _drawn(
    space: Sequence[Dimension], words: list[str], config: DictConfig, ledger: Ledger, at_once: int
) -> Iterator[Job | None]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    drawn: list[dict[str, str]] = []  # of the jobs from 0 on
    for number in range(config.search.jobs):
        while True:
            ended = {int(entry.job): entry for entry in ledger.entries() if entry.job.isdigit()}
            if number in ended or all(each in ended for each in range(number - at_once + 1)):
                break
            yield None
        if number in ended:
            drawn.append(settings_of(ended[number]))
            continue
        known = [entry for each, entry in ended.items() if each <= number - at_once]
        words_of_job = _ask(space, config, known, drawn)
        if words_of_job is None:
            show(f"search: the space has no further point; {number} of {config.search.jobs} jobs were drawn")
            return
        drawn.append(words_of_job)
        yield Job(_with(words, words_of_job), str(number))


def _with(words: list[str], drawn: dict[str, str]) -> list[str]:
    return [*words, *(f"{key}={value}" for key, value in drawn.items())]


def free_dimensions(config: DictConfig, words: Sequence[str]) -> list[Dimension]:
    """Returns the space without the keys that the command line sets."""
    typed = {word.partition("=")[0].lstrip("+") for word in words}
    space = [dimension for dimension in dimensions(config.search.space) if dimension.key not in typed]
    if not space:
        raise ConfigError("search: every key of search.space is set on the command line; nothing is left to search.")
    return space


def study_of(
    space: Sequence[Dimension], config: DictConfig, entries: Sequence[Entry], running: Sequence[dict[str, str]] = ()
) -> optuna.Study:
    """Returns a study in memory with the finished jobs, and the settings of those that were drawn since.

    The number of both and the seed of the search seed its sampler.
    """
    study = empty_study(config, len(entries) + len(running))
    for entry in entries:
        study.add_trial(trial_of(space, config, entry))
    for settings in running:
        params, distributions = params_of(space, settings)
        study.add_trial(create_trial(state=TrialState.RUNNING, params=params, distributions=distributions))
    return study


def empty_study(config: DictConfig, jobs: int) -> optuna.Study:
    """Returns a study without trials, whose sampler is seeded by the number of jobs and the seed of the search."""
    search = config.search
    # With the sum of both, neighbouring seeds would draw the same jobs, shifted by one.
    seed = int(np.random.SeedSequence([search.seed, jobs]).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of options that may still change
        sampler = build(search.sampler, key="search.sampler", seed=seed, jobs=search.jobs)
    ways = {"min": StudyDirection.MINIMIZE, "max": StudyDirection.MAXIMIZE}
    return optuna.create_study(directions=[ways[way] for way in directions(config)], sampler=sampler)


def params_of(
    space: Sequence[Dimension], settings: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
    """Returns what Optuna knows of a job with some settings, as far as they are in the space."""
    params: dict[str, Any] = {}
    distributions: dict[str, BaseDistribution] = {}
    for dimension in space:
        try:
            drawn = dimension.parse(settings[dimension.key])
        except (KeyError, ValueError):  # a condition left the key out, or the value is from an earlier, wider space
            continue
        params |= drawn
        distributions |= dimension.distributions()
    return params, distributions


def trial_of(space: Sequence[Dimension], config: DictConfig, entry: Entry) -> optuna.trial.FrozenTrial:
    """Returns the trial of a finished job, with the values that it drew from the space."""
    params, distributions = params_of(space, settings_of(entry))
    values = values_of(entry, config.search.objectives)
    state = STATES[entry.status]
    if state is TrialState.COMPLETE and values is None:
        state = TrialState.FAIL
    steps = {entry.epochs or 0: entry.value} if state is TrialState.PRUNED and entry.value is not None else {}
    return create_trial(
        state=state,
        values=values if state is TrialState.COMPLETE else None,
        params=params,
        distributions=distributions,
        intermediate_values=steps,
    )


def _ask(
    space: Sequence[Dimension], config: DictConfig, known: Sequence[Entry], drawn: Sequence[dict[str, str]]
) -> dict[str, str] | None:
    """Returns the words of the next job: other ones than those drawn so far, or None if there are none."""
    study = study_of(space, config, known, drawn[len(known) :])
    for _ in range(TRIES):
        words = draw(study.ask(), space, config)
        if not any(words.items() <= before.items() for before in drawn):
            return words
    return None
