"""Runs a search: an Optuna sampler that has seen the jobs of the ledger draws each next job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


def batches_of(
    jobs: list[list[str]], config: DictConfig, ledger: Ledger, loader: ConfigLoader
) -> tuple[int, Iterator[list[Job]]]:
    """Returns the number of jobs of a search, and their batches; each is drawn when those before it have ended.

    `jobs` holds one list, the words of the command line that all jobs share.
    """
    if len(jobs) != 1:
        raise ConfigError(
            "search: a key with several values on the command line cannot join a search. "
            "Put it into the space, as '+search.space.optimizer.choices=[adam,sgd]'."
        )
    (words,) = jobs
    space = free_dimensions(config, words)
    at_once = config.search.at_once
    at_once = workers_at_once(config.hydra.launcher) if at_once == "auto" else int(at_once)
    if config.search.points is not None:
        points = grid(space, config.search.points, config)
        left = remaining([_with(words, point) for point in points], config, ledger, loader)
        total = len(ledger.entries()) + len(left)
        return total, (left[start : start + at_once] for start in range(0, len(left), at_once))
    return config.search.jobs, _drawn(space, words, config, ledger, at_once)


def _drawn(
    space: Sequence[Dimension], words: list[str], config: DictConfig, ledger: Ledger, at_once: int
) -> Iterator[list[Job]]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    before = -1
    while before < (done := len(ledger.entries())) < config.search.jobs:
        before = done  # a batch that adds no line to the ledger ends the search, which would not end otherwise
        batch = _ask(space, config, ledger.entries(), min(at_once, config.search.jobs - done))
        if not batch:
            show(f"search: the space has no further point; {done} of {config.search.jobs} jobs were drawn")
            return
        taken = {entry.job for entry in ledger.entries()}
        free = (str(name) for name in range(len(taken) + len(batch)) if str(name) not in taken)
        yield [Job(_with(words, drawn), next(free)) for drawn in batch]


def _with(words: list[str], drawn: dict[str, str]) -> list[str]:
    return [*words, *(f"{key}={value}" for key, value in drawn.items())]


def free_dimensions(config: DictConfig, words: Sequence[str]) -> list[Dimension]:
    """Returns the space without the keys that the command line sets."""
    typed = {word.partition("=")[0].lstrip("+") for word in words}
    space = [dimension for dimension in dimensions(config.search.space) if dimension.key not in typed]
    if not space:
        raise ConfigError("search: every key of search.space is set on the command line; nothing is left to search.")
    return space


def study_of(space: Sequence[Dimension], config: DictConfig, entries: Sequence[Entry]) -> optuna.Study:
    """Returns a study in memory with the finished jobs; their number and the seed of the search seed its sampler."""
    search = config.search
    # With the sum of both, neighbouring seeds would draw the same jobs, shifted by one.
    seed = int(np.random.SeedSequence([search.seed, len(entries)]).generate_state(1)[0])
    sampler = build(search.sampler, key="search.sampler", seed=seed, jobs=search.jobs)
    ways = {"min": StudyDirection.MINIMIZE, "max": StudyDirection.MAXIMIZE}
    study = optuna.create_study(directions=[ways[way] for way in directions(config)], sampler=sampler)
    for entry in entries:
        study.add_trial(_trial(space, config, entry))
    return study


def _trial(space: Sequence[Dimension], config: DictConfig, entry: Entry) -> optuna.trial.FrozenTrial:
    settings = settings_of(entry)
    params: dict[str, Any] = {}
    distributions: dict[str, BaseDistribution] = {}
    for dimension in space:
        try:
            drawn = dimension.parse(settings[dimension.key])
        except (KeyError, ValueError):  # a condition left the key out, or the value is from an earlier, wider space
            continue
        params |= drawn
        distributions |= dimension.distributions()
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


def _ask(space: Sequence[Dimension], config: DictConfig, entries: Sequence[Entry], number: int) -> list[dict[str, str]]:
    study = study_of(space, config, entries)
    drawn_before = [settings_of(entry) for entry in entries]
    batch: list[dict[str, str]] = []
    for _ in range(TRIES):
        if len(batch) == number:
            break
        words = draw(study.ask(), space, config)
        if words not in batch and not any(words.items() <= before.items() for before in drawn_before):
            batch.append(words)
    return batch
