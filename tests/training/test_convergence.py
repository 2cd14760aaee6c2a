from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from dltrain.base.errors import ConfigError

# Plain gradient descent on all rows: what a step adds to the weights is the gradient times the rate.
DESCENT = (
    "dataset.problem=regression",
    "model=linear",
    "optimizer=sgd",
    "optimizer.learning_rate=0.1",
    "trainer.batch_size=60",
    "trainer.epochs=4",
)
MEASURED = ("gradient_norm", "loss_change", "weight_change")


@pytest.mark.parametrize(("limit", "bound"), [*zip(MEASURED, (0.3, 0.01, 0.03), strict=True)])
def test_training_ends_when_one_of_them_stays_below_its_limit(
    stage_of: Any, train_stage: Any, tmp_path: Path, limit: str, bound: float
) -> None:
    others = [f"callbacks.convergence.{name}=null" for name in MEASURED if name != limit]
    words = ("callbacks=convergence", *others, "callbacks.convergence.patience=2", "trainer.epochs=300")
    stage = stage_of(*DESCENT, f"callbacks.convergence.{limit}={bound}", *words)
    found = [epoch[limit] for epoch in train_stage(stage, tmp_path).history]
    assert len(found) < 300
    assert [value < bound for value in found[-2:]] == [True, True]
    assert not any(one < bound and two < bound for one, two in itertools.pairwise(found[:-1]))


def test_without_any_limit_it_is_refused(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    stage = stage_of(
        "model=linear", "callbacks=convergence", *(f"callbacks.convergence.{name}=null" for name in MEASURED)
    )
    with pytest.raises(ConfigError, match="expected a limit for one of gradient_norm, loss_change, weight_change"):
        train_stage(stage, tmp_path)
