"""Finds settings of a search or of its workers that cannot work or have no effect."""

from __future__ import annotations

from collections.abc import Iterator

from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError
from dltrain.config import pruning_rules, search_conditions, search_objectives, search_space
from dltrain.config.fingerprint import SWEEP_GROUPS, group_of


def faults(config: DictConfig, typed: list[str]) -> Iterator[str]:
    """Yields a sentence for each; `typed` are the keys that the user gave."""
    workers = OmegaConf.select(config, "hydra.launcher.workers")
    if workers is not None and (type(workers) is not int or workers < 1):
        yield f"hydra.launcher.workers: expected a whole number of at least 1, or null for one a core, got {workers}."
    if config.search is None:
        return
    yield from search_objectives.faults(config)
    if config.search.get("minutes") is not None:
        yield from _best(config, typed)
    elif config.search.get("recipes") is not None:
        yield "search.minutes: expected a number above 0, got null."
    else:
        yield from _space(config, typed)


def _best(config: DictConfig, typed: list[str]) -> Iterator[str]:
    """Finds what cannot work with search=best, whose recipes take the place of a space."""
    if len(config.search.objectives) > 1:
        yield (
            "search.objectives: search=best goes by one, got "
            f"{', '.join(config.search.objectives)}. Choose one of them, or another search=."
        )
    elif config.search.objectives and config.search.objectives[0] in search_objectives.COSTS:
        yield f"search.objectives: search=best goes by a validation metric, got '{config.search.objectives[0]}'."
    if config.seeds > 1:
        yield "seeds: search=best scores its ensemble with a single seed. Use seeds=1, or another search=."
    if config.score_test == "always" and "score_test" in typed:
        yield "score_test=always: of a search=best the ensemble alone scores the test part. Leave it out."
    if config.search.space:
        yield "search.space has no effect with search=best: its recipes have spaces of their own (search.recipes)."
    if config.split.get("validation", 0) is None and config.cv is None:
        yield "split.validation: search=best chooses by validation rows or folds, got null. Add cv=kfold, or a share."


def _space(config: DictConfig, typed: list[str]) -> Iterator[str]:
    yield from pruning_rules.faults(config)
    try:
        found = search_space.dimensions(config.search.space)
    except ConfigError as error:
        yield from error.faults
        return
    yield from (
        f"search.space.{each.key}: no job may draw this key: it belongs to the sweep itself."
        for each in found
        if group_of(each.key) in (*SWEEP_GROUPS, "score_test")
    )
    yield from search_conditions.faults(found, config)
    grid, name = config.search.sampler is None, config.hydra.runtime.choices.get("search")
    if grid and "search.jobs" in typed:
        yield "search.jobs has no effect with search=grid: it runs every combination. Use search.points."
    if grid and config.search.points is None:
        yield "search.points: expected a whole number of at least 1."
    if not grid and config.search.points is not None:
        yield f"search.points has no effect with search={name}: it draws its jobs. Use search.jobs, or search=grid."
    if not grid and config.search.jobs is None:
        yield "search.jobs: expected a whole number of at least 1."
