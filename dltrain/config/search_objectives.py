"""Checks the objectives of a search: validation metrics or costs of a network, never the test part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from omegaconf import DictConfig

from dltrain.base.errors import did_you_mean
from dltrain.config.metric_traits import traits

COSTS = ("parameters", "seconds", "epochs")


def faults(config: DictConfig) -> Iterator[str]:
    """Yields a sentence for each fault of the objectives of a search."""
    search = config.search
    names = list(search.objectives)
    known = [*COSTS]
    if "metrics" in config.task:
        known += ["val_loss", *(f"val_{name}" for name in config.task.metrics)]
    if not names:
        yield "search.objectives: expected at least one, such as val_loss."
    yield from (
        f"search.objectives: expected each once, got '{name}' {count} times."
        for name, count in Counter(names).items()
        if count > 1
    )
    for name in dict.fromkeys(names):
        if "test" in name.split("_"):
            yield f"search.objectives: '{name}' would choose by the test part, which has to judge the choice. Use val_."
        elif "metrics" in config.task and name not in known and name != config.task.monitor:
            yield f"search.objectives: no metric of this task gives '{name}'.{did_you_mean(name, known)}"
        elif not name.startswith("val_") and name not in COSTS:
            yield f"search.objectives: expected a validation metric (val_…) or one of {', '.join(COSTS)}, got '{name}'."
        elif search.directions == "auto" and _direction(config, name) is None:
            yield f"search.objectives: '{name}' does not say which way is better. Set 'search.directions=[min]'."
    if search.directions != "auto" and len(search.directions) != len(names):
        yield f"search.directions: expected {len(names)}, one for each of search.objectives, or auto."
    elif search.directions != "auto" and set(search.directions) - {"min", "max"}:
        yield f"search.directions: expected min or max, got {', '.join(search.directions)}."


def directions(config: DictConfig) -> list[str]:
    """Returns `min` or `max` for each objective."""
    if config.search.directions != "auto":
        return list(config.search.directions)
    return [_direction(config, name) or "min" for name in config.search.objectives]


def _direction(config: DictConfig, name: str) -> str | None:
    metrics = (config.get("task") or {}).get("metrics") or {}
    return traits(name, (metrics.get(name.removeprefix("val_")) or {}).get("_target_")).direction


def by_objectives(config: DictConfig) -> dict[str, str]:
    """Returns `min` or `max` for each objective of a search, by its name; empty without a search."""
    if config.search is None:
        return {}
    return dict(zip(config.search.objectives, directions(config), strict=True))
