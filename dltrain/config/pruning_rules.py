"""Finds searches whose pruning cannot work, before any job starts."""

from __future__ import annotations

from collections.abc import Iterator

from omegaconf import DictConfig, OmegaConf

from dltrain.config.search_objectives import COSTS

PRUNING = ("halving", "median")  # options of search that are random search with this callback


def faults(config: DictConfig) -> Iterator[str]:
    """Yields a sentence for each reason why jobs of a search cannot be pruned."""
    nodes = {f"callbacks.{name}": node for name, node in config.callbacks.items() if node is not None}
    pruning = {key: node for key, node in nodes.items() if str(node.get("_target_")).endswith("pruning.Pruning")}
    chosen = OmegaConf.select(config, "hydra.runtime.choices.search")
    if chosen in PRUNING and not pruning:
        yield f"callbacks.pruning: search={chosen} prunes no job without it. Use search=random, or leave the callback."
    for key, node in pruning.items():
        yield from _objectives(config)
        yield from _repeats(config)
        yield from _too_few_epochs(config, key, node)


def _repeats(config: DictConfig) -> Iterator[str]:
    """Refuses folds and seeds, since their epochs are scored on different rows."""
    for key, single, several in (("cv", "cv=none", config.cv is not None), ("seeds", "seeds=1", config.seeds > 1)):
        if several:
            yield (
                f"{key}: search=halving and search=median compare the epochs of jobs of one split, not of folds or "
                f"seeds. Use {single}, or a search without pruning, such as search=random."
            )


def _too_few_epochs(config: DictConfig, key: str, node: DictConfig) -> Iterator[str]:
    """Refuses trainings that end before the first rung or the end of the warm-up, where jobs are first compared."""
    pruner, every, epochs = node.pruner, node.every_epochs, config.trainer.epochs
    if not isinstance(pruner, DictConfig):
        yield f"{key}.pruner: expected a mapping with a _target_, such as optuna.pruners.MedianPruner, got {pruner}."
        return
    start = "n_warmup_steps" if "n_warmup_steps" in pruner else "min_resource"
    numbers = [pruner.get(start), pruner.get("reduction_factor", 4), pruner.get("min_early_stopping_rate", 0)]
    drawn = OmegaConf.select(config, "search.space.trainer.epochs") is not None
    if drawn or not all(isinstance(number, int) for number in [*numbers, every]) or every < 1:
        return
    least, factor, rate = numbers
    first = -(-max(1, least * factor**rate) // every) * every
    if epochs <= first:
        yield (
            f"trainer.epochs: {epochs} epochs end before any job can be pruned, first after epoch {first} "
            f"({key}.pruner.{start}={least}, compared every {every}). "
            f"Expected more than {first}, a smaller {start}, or search=random."
        )


def _objectives(config: DictConfig) -> Iterator[str]:
    names = list(config.search.objectives)
    if len(names) > 1:
        yield (
            f"search.objectives: jobs are pruned by a single objective, got {', '.join(names)}. "
            "Choose one, or another search= than halving and median."
        )
    elif names and names[0] in COSTS:
        yield (
            f"search.objectives: jobs are pruned by a validation metric of their epochs, got '{names[0]}'. "
            "Choose one, such as val_loss, or another search= than halving and median."
        )
