"""Where the pruning of a search cannot work, found before any job starts."""

from __future__ import annotations

from collections.abc import Iterator

from omegaconf import DictConfig

from dltrain.sweep.objectives import COSTS


def faults(config: DictConfig) -> Iterator[str]:
    """A sentence for each reason why jobs cannot be pruned.

    Args:
        config: composed, with a search.
    """
    nodes = {f"callbacks.{name}": node for name, node in config.callbacks.items() if node is not None}
    pruning = {key: node for key, node in nodes.items() if str(node.get("_target_")).endswith("pruning.Pruning")}
    for _ in pruning:
        yield from _objectives(config)
        yield from _repeats(config)


def _repeats(config: DictConfig) -> Iterator[str]:
    """An epoch of one fold or seed cannot be compared with that of another: the parts are others."""
    for key, single, several in (("cv", "cv=none", config.cv is not None), ("seeds", "seeds=1", config.seeds > 1)):
        if several:
            yield (
                f"{key}: search=halving and search=median compare the epochs of jobs of one split, not of folds or "
                f"seeds. Use {single}, or a search without pruning, such as search=random."
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
