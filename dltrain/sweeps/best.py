"""Draws the jobs of `search=best`, which ends by a clock: first the starts of all recipes, then values around them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig
from optuna.trial import FrozenTrial, TrialState, create_trial

from dltrain.base.errors import ConfigError, DataError
from dltrain.base.notes import SilentNotes
from dltrain.config.auto_model import TABLE, Rows
from dltrain.config.compose import COMPOSITION_ERRORS
from dltrain.config.fingerprint import group_of
from dltrain.config.hydra_node import resolving
from dltrain.config.plain_words import sentence
from dltrain.config.recipes import RECIPE, Recipe, fold_rows, recipe_of, recipes_for
from dltrain.config.search_space import draw
from dltrain.sweeps.clock import Clock
from dltrain.sweeps.ledger import Entry, Ledger
from dltrain.sweeps.ranking import ranked
from dltrain.sweeps.remaining import Job, refuse_other_data
from dltrain.sweeps.search import TRIES, empty_study, params_of, trial_of

LEAST_RESERVE = 3.0  # seconds for the reports and the end of the process, to which is added
END_SHARE = 0.02  # of the minutes
LEAST_EPOCHS = 3
FOLDS = ("cv=kfold", "cv.ensemble=true", "callbacks.pruning=null")  # the words of a job that is cross-validated
KINDS = {TABLE: "table"}  # of recipes, where another word than the recipe's names them
SMALL_IMAGE = 32 * 32  # pixels
SAFETY = 0.8  # of the time that the epochs of a job are planned to take
MOST_OF_A_JOB = 3  # a drawn job may train for one part in so many of the time that is left,
LONGER = 1.5  # or for so many times as long as its recipe ever did


@dataclass(frozen=True)
class Plan:
    """What the data decides of a search: its recipes, and whether its jobs are cross-validated."""

    recipes: Sequence[Recipe]
    words: Sequence[str]  # that all jobs share
    waves: int  # how many trainings of a job follow each other; those of folds run side by side
    seconds: float  # to read the data


def jobs_of_best(
    jobs: list[list[str]], config: DictConfig, ledger: Ledger, loader: ConfigLoader, clock: Clock, at_once: int
) -> Iterator[Job | None]:
    """Yields jobs until the time for another is over; `jobs` holds the words that all jobs share.

    `at_once` jobs run side by side at most.

    Raises:
        ConfigError: If a key has several values, no recipe agrees with the words, or no job can begin in time.
    """
    if len(jobs) != 1:
        raise ConfigError(
            "search=best draws its own values: expected one value for each key on the command line. "
            "A key that is typed stays as it is."
        )
    entries = ledger.entries()
    plan = _plan(jobs[0], config, loader, clock, entries)
    if entries:
        refuse_other_data(ledger.sweep, entries)
    return _drawn(plan, config, ledger, loader, clock, at_once)


def _plan(typed: list[str], config: DictConfig, loader: ConfigLoader, clock: Clock, entries: Sequence[Entry]) -> Plan:
    from dltrain.internals import tensorflow_quietly

    tensorflow_quietly.load()
    from dltrain.config.seed import Seed
    from dltrain.experiment.cross_validation import cut_folds
    from dltrain.experiment.decisions import KEYS
    from dltrain.experiment.experiment import draw as draw_rows
    from dltrain.experiment.experiment import pose
    from dltrain.experiment.side_by_side import workers
    from dltrain.experiment.stages import load_dataset, split_constraints, split_rows

    def compose(words: list[str]) -> DictConfig:
        try:
            return loader.load_sweep_config(config, words)
        except COMPOSITION_ERRORS as error:
            raise ConfigError(sentence(error)) from error

    notes, began = SilentNotes(), clock.spent()
    base = compose(typed)
    with resolving(base):
        dataset = load_dataset(base.dataset, notes)
        problem = draw_rows(base, pose(base, dataset, notes, []), notes)
        constraints = split_constraints(problem.dataset, problem.target, base.split)
        split = split_rows(base.split, constraints, problem.target, Seed.of(base).stream("split"))
    reading = clock.spent() - began
    decided = problem.dataset.decided(split.train)
    images = [decided.columns[name].shape[1:] for name, kind in decided.kinds.items() if kind == "image"]
    rows = Rows(len(split.train) + len(split.validation), decided.kinds, *images[:1])
    kind = KINDS.get(rows.recipe, rows.recipe)
    keys = {word.partition("=")[0].lstrip("+") for word in typed}
    # What follows the network is fitted once, behind the ensemble.
    kept = [word for word in typed if group_of(word) not in KEYS]
    words = [*kept, "search.recipes=null", "require_beats_baseline=false"]
    if base.cv is not None:
        words += ["callbacks.pruning=null", *([] if "cv.ensemble" in keys else ["cv.ensemble=true"])]
    elif (
        "cv" not in keys
        and constraints.times is None
        and constraints.groups is None
        # More minutes are no reason to fold the jobs of a search that began without.
        and (FOLDS[0] in entries[0].overrides if entries else rows.count * small_images(rows) <= fold_rows(base, kind))
    ):
        folded = compose([*typed, *FOLDS])
        try:
            with resolving(folded):
                cut_folds(folded, problem)
            words += FOLDS
        except (ConfigError, DataError):
            pass  # a class has fewer rows than there are folds
    trainings = 1
    if (folded := compose(words)).cv is not None:
        with resolving(folded):
            trainings = len(cut_folds(folded, problem)[1])
    return Plan(recipes_for(base, kind, typed, compose), words, -(-trainings // workers()), reading)


def small_images(rows: Rows) -> float:
    """Returns how many small images one of the images costs; 1 for other rows."""
    return max(1.0, rows.image[0] * rows.image[1] / SMALL_IMAGE) if rows.image else 1.0


def _in_time(
    recipe: Recipe, plan: Plan, config: DictConfig, loader: ConfigLoader, ledger: Ledger, seconds: float
) -> Recipe:
    """Returns the recipe with as many epochs as fit into the time, since a schedule has to reach its end.

    An epoch is as long as that of the recipe's last job; before there is one, some steps are timed.
    """
    key = "trainer.epochs="
    epochs = next((int(word.removeprefix(key)) for word in recipe.words if word.startswith(key)), None)
    if epochs is None:
        return recipe
    times = [
        json.loads((ledger.sweep / entry.job / "run.json").read_text("utf-8")).get("seconds_per_epoch")
        for entry in ledger.entries()
        if f"{RECIPE}={recipe.name}" in entry.overrides and entry.status == "completed"
    ]
    known = [float(each) for each in times if each]
    if not known and plan.waves > 1:
        return recipe
    if not known:
        from dltrain.sweeps.cost import cost_of

        words = [*plan.words, *recipe.job(recipe.starts[0])]
        known = [cost_of(loader.load_sweep_config(config, words)).seconds_an_epoch]
    fit = int(SAFETY * seconds / known[-1])
    if fit >= epochs:
        return recipe
    fewer = [f"{key}{max(LEAST_EPOCHS, fit)}" if word.startswith(key) else word for word in recipe.words]
    return replace(recipe, words=tuple(fewer))


def _drawn(
    plan: Plan, config: DictConfig, ledger: Ledger, loader: ConfigLoader, clock: Clock, at_once: int
) -> Iterator[Job]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    begun: dict[str, Drawn] = {}
    while True:
        clock.save()
        entries = ledger.entries()
        ended = {entry.job for entry in entries}
        running = [drawn for name, drawn in begun.items() if name not in ended]
        if config.search.jobs is not None and len(entries) + len(running) >= config.search.jobs:
            return
        times = {entry.job: _finishing(ledger.sweep / entry.job) for entry in entries if entry.status == "completed"}
        after = max(times.values(), default=0.0)
        end = reserve(entries, times, plan.seconds, config.search.members) + END_SHARE * clock.seconds
        left = clock.left() - end - after
        lengths = _lengths(entries)
        in_time = [each for each in plan.recipes if left > max(after, min(lengths.get(each.name, [0.0])))]
        starts = [each for each in _starts(in_time, entries) if each not in running]
        drawn = starts[0] if starts else _ask(plan.recipes, promising(in_time, entries), config, entries, running)
        if drawn is None and not entries and not running:
            raise ConfigError(
                f"search.minutes: {config.search.minutes:g} minutes are over before the first job. Expected more, such "
                "as search.minutes=5."
            )
        if drawn is None:
            return
        recipe, values = drawn
        rounds = -(-len(starts) // at_once)  # most jobs end before their share is spent
        share = 2 * left / (1 + rounds) if starts else left / MOST_OF_A_JOB
        share = min(left, max(share, LONGER * max(lengths.get(recipe.name, [0.0]))))
        each = share / plan.waves
        taken = {*ended, *begun}
        name = next(name for name in map(str, range(len(taken) + 1)) if name not in taken)
        begun[name] = drawn
        began = clock.spent()
        fitting = _in_time(recipe, plan, config, loader, ledger, each)
        # A fold that begins late has its part too, since a job without it would be lost.
        clock.allow(name, left - (clock.spent() - began), each)
        yield Job([*plan.words, *fitting.job(values)], name)


def reserve(entries: Sequence[Entry], times: Mapping[str, float], reading: float, members: int) -> float:
    """Returns the seconds that the ensemble needs, by what its likely members took after their training.

    `times` are those of the jobs by name, `reading` is what reading the data took.
    """
    likely = [times[entry.job] for entry in ranked(entries) if entry.job in times][:members]
    return LEAST_RESERVE + reading + sum(likely)


def promising(recipes: Sequence[Recipe], entries: Sequence[Entry]) -> list[Recipe]:
    """Returns the recipes of the better half by their best job, of the best two at least; all before any job.

    The sampler draws from the others for long, most of all at the end, where their jobs are the only short ones.
    """
    names = [recipe_of(entry.overrides) or ("", []) for entry in ranked(entries)]
    order = list(dict.fromkeys(name for name, _ in names))
    better = order[: max(2, -(-len(order) // 2))]
    return [each for each in recipes if each.name in better or not order]


def _finishing(run: Path) -> float:
    """Returns the seconds between the last epoch of a job and its end."""
    facts = json.loads((run / "run.json").read_text("utf-8"))
    curves = [file.stat().st_mtime for file in (run / "history.csv", *run.glob("*/*/history.csv")) if file.exists()]
    if not curves or not facts.get("finished"):
        return float(facts.get("seconds") or 0.0) / 4
    return max(0.0, datetime.fromisoformat(facts["finished"]).timestamp() - max(curves))


Drawn = tuple[Recipe, Mapping[str, str]]


def _starts(recipes: Sequence[Recipe], entries: Sequence[Entry]) -> list[Drawn]:
    """Returns the starts that have not run: the first of each recipe, then the second of each, and so on."""
    most = max((len(recipe.starts) for recipe in recipes), default=0)
    starts = [(each, each.starts[place]) for place in range(most) for each in recipes if place < len(each.starts)]
    return [(recipe, values) for recipe, values in starts if not _has_run(recipe, values, entries)]


def _has_run(recipe: Recipe, values: Mapping[str, str], entries: Sequence[Entry]) -> bool:
    wanted = recipe.name, [f"{key}={value}" for key, value in values.items()]
    return any(recipe_of(entry.overrides) == wanted for entry in entries)


def _lengths(entries: Sequence[Entry]) -> dict[str, list[float]]:
    """Returns the seconds of the jobs of each recipe that nothing has cut short."""
    found: dict[str, list[float]] = {}
    for entry in entries:
        if entry.status == "completed" and entry.seconds is not None and not entry.ended_by:
            name, _ = recipe_of(entry.overrides) or ("", [])
            found.setdefault(name, []).append(entry.seconds)
    return found


def _ask(
    recipes: Sequence[Recipe],
    in_time: Sequence[Recipe],
    config: DictConfig,
    entries: Sequence[Entry],
    running: Sequence[Drawn],
) -> Drawn | None:
    """Returns a job of one of the recipes that are in time, other than those before; None if there is none."""
    study = empty_study(config, len(entries) + len(running))
    by_name = {recipe.name: recipe for recipe in recipes}
    for entry in entries:
        name, _ = recipe_of(entry.overrides) or ("", [])
        if name in by_name:
            bare = trial_of(by_name[name].space, config, entry)
            study.add_trial(_named(bare, by_name[name], recipes))
    for recipe, values in running:
        params, distributions = params_of(recipe.space, values)
        bare = create_trial(state=TrialState.RUNNING, params=params, distributions=distributions)
        study.add_trial(_named(bare, recipe, recipes))
    for _ in range(TRIES if in_time else 0):
        trial = study.ask()
        recipe = by_name[trial.suggest_categorical(RECIPE, list(by_name))]
        drawn = recipe, draw(_OfRecipe(trial, recipe), recipe.space, config)  # type: ignore[arg-type]
        if recipe in in_time and drawn not in running and not _has_run(*drawn, entries):
            return drawn
    return None


def _named(bare: FrozenTrial, recipe: Recipe, recipes: Sequence[Recipe]) -> FrozenTrial:
    """Returns a trial whose keys have the name of its recipe before them."""
    names = optuna.distributions.CategoricalDistribution([each.name for each in recipes])
    return create_trial(
        state=bare.state,
        values=bare.values,
        params={RECIPE: recipe.name, **{_name(recipe, key): value for key, value in bare.params.items()}},
        distributions={RECIPE: names, **{_name(recipe, key): each for key, each in bare.distributions.items()}},
        intermediate_values=bare.intermediate_values,
    )


def _name(recipe: Recipe, key: str) -> str:
    return f"{recipe.name}.{key}"


class _OfRecipe:
    """An Optuna trial that draws the keys of a recipe apart from those of the others."""

    def __init__(self, trial: optuna.Trial, recipe: Recipe) -> None:
        self.trial, self.recipe = trial, recipe

    def __getattr__(self, name: str) -> Any:
        suggest = getattr(self.trial, name)
        return lambda key, *bounds, **more: suggest(_name(self.recipe, key), *bounds, **more)
