from __future__ import annotations

from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from dltrain.config.pruning_rules import faults

HALVING = {"min_resource": 10, "reduction_factor": 3}


def config(epochs: int = 100, pruner: Any = None, objectives: Any = ("val_loss",), **more: Any) -> DictConfig:
    node = {"_target_": "dltrain.sweeps.pruning.Pruning", "every_epochs": 5, "pruner": pruner or HALVING}
    base = {"callbacks": {"pruning": node, "off": None}, "cv": None, "seeds": 1, "trainer": {"epochs": epochs}}
    return OmegaConf.create(base | {"search": {"objectives": list(objectives), "space": {}}} | more)


@pytest.mark.parametrize(
    ("pruner", "first"),
    [
        (HALVING, 10),
        (HALVING | {"min_resource": 11}, 15),  # jobs are compared every five epochs
        (HALVING | {"min_early_stopping_rate": 1}, 30),
        ({"n_warmup_steps": 0}, 5),
        (HALVING | {"min_resource": "auto"}, 0),  # which is known only later
    ],
)
def test_a_training_must_outlast_the_first_comparison(pruner: Any, first: int) -> None:
    assert list(faults(config(first + 1, pruner))) == []
    if first:
        (found,) = faults(config(first, pruner))
        assert found.startswith(f"trainer.epochs: {first} epochs end before any job can be pruned")


def test_drawn_epochs_are_not_judged() -> None:
    space = {"objectives": ["val_loss"], "space": {"trainer": {"epochs": [1, 2]}}}
    assert list(faults(config(1, search=space))) == []


@pytest.mark.parametrize(
    ("composed", "start"),
    [
        (config(cv={"name": "kfold"}), "cv: "),
        (config(seeds=2), "seeds: "),
        (config(objectives=("val_loss", "val_auc")), "search.objectives: jobs are pruned by a single objective"),
        (config(objectives=("parameters",)), "search.objectives: jobs are pruned by a validation metric"),
    ],
)
def test_what_cannot_be_compared_epoch_by_epoch_is_refused(composed: DictConfig, start: str) -> None:
    (found,) = faults(composed)
    assert found.startswith(start)
    composed.callbacks.pruning = None
    assert list(faults(composed)) == []


@pytest.mark.parametrize("search", ["halving", "median"])
def test_a_search_that_prunes_needs_its_callback(search: str) -> None:
    chosen = {"hydra": {"runtime": {"choices": {"search": search}}}}
    assert list(faults(config(**chosen))) == []
    (found,) = faults(config(**chosen, callbacks={"pruning": None}))
    assert found.startswith(f"callbacks.pruning: search={search} prunes no job without it")
