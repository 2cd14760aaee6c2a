from __future__ import annotations

from typing import Any

import pytest

from dltrain.config.compose import Composer
from dltrain.sweeps.cost import Cost, cost_of


def cost(*words: str) -> Cost:
    small: Any = ("dataset=synthetic", "dataset.rows=60", "model.units=[2]", "trainer.batch_size=10")
    return cost_of(Composer().compose([*small, "trainer.epochs=3", *words]))


def test_steps_follow_from_the_rows_of_the_train_part() -> None:
    found = cost()
    assert found.steps == -(-found.rows // 10)
    assert (found.epochs, found.trainings) == (3, 1)
    assert 0 < found.rows < 60
    assert found.parameters > 0
    assert found.seconds > 0


@pytest.mark.parametrize(
    ("words", "trainings"),
    [(("seeds=3",), 3), (("cv=kfold", "cv.folds=4"), 5), (("cv=kfold", "cv.folds=4", "cv.ensemble=true"), 4)],
)
def test_each_fold_or_seed_is_a_training(words: tuple[str, ...], trainings: int) -> None:
    assert cost(*words).trainings == trainings
