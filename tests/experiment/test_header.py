from __future__ import annotations

from typing import Any

import pytest

from dltrain.experiment.header import facts_of, trainable


@pytest.mark.parametrize(
    ("schedule", "rate"),
    [("schedule=constant", "SGD, learning rate 0.5"), ("schedule=cosine", "SGD, learning rate 0.5 along cosine")],
)
def test_facts_say_what_decides_the_run(stage_of: Any, schedule: str, rate: str) -> None:
    stage = stage_of(
        "dataset.problem=multiclass", "model=linear", "trainer.epochs=1", "trainer.batch_size=16", "seed=3",
        "optimizer=sgd", "optimizer.learning_rate=0.5", schedule,
    )  # fmt: skip
    facts = facts_of(stage.config, stage.data, stage.network, stage.batch_size)
    width = stage.data.preprocessing.model.output["table"].shape[1]
    assert facts["split"] == "train 36, validation 12, test 12"
    assert facts["task"] == f"multiclass, {len(stage.data.target.classes)} classes"
    assert facts["features"] == f"table {width}"
    assert facts["model"] == f"linear, {trainable(stage.network)} trainable parameters"
    assert trainable(stage.network) == (width + 1) * len(stage.data.target.classes)
    assert facts["optimizer"] == rate
    assert facts["training"] == "at most 1 epoch x 3 steps of 16 rows, resident engine, seed 3"
