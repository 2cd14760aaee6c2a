"""The precision of the layers, and the weights of the rows in a training step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.base.errors import ConfigError
from dltrain.engine.step import train_step

TABULAR = ("model=tabular", "model.units=[4]", "model.dropout=0")
MIXED = "trainer.precision=mixed_bfloat16"


def test_mixed_precision_keeps_weights_and_answer_in_32_bits(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    stage = stage_of(MIXED, "model.units=[4]")
    hidden, head = stage.network.get_layer("dense"), stage.network.get_layer("head")
    assert (hidden.compute_dtype, hidden.kernel.dtype) == ("bfloat16", "float32")
    assert (head.compute_dtype, stage.network.output.dtype) == ("float32", "float32")
    assert keras.config.dtype_policy().name == "float32"
    assert np.isfinite(list(train_stage(stage, tmp_path).history[0].values())).all()


def test_other_precision_is_refused(compose_config: Any) -> None:
    with pytest.raises(ConfigError, match=r"trainer\.precision: .*'mixed_float16'"):
        compose_config("trainer.precision=mixed_float16")


@pytest.mark.parametrize(
    "words",
    [
        (*TABULAR, "task=binary"),
        (*TABULAR, "task=multilabel", "dataset.problem=multilabel"),
        (*TABULAR, "task=multiclass", "dataset.problem=multiclass"),
        (*TABULAR, "task=regression", "dataset.problem=regression"),
        (*TABULAR, "task=gaussian_regression", "dataset.problem=regression"),
        ("model=linear", "task=gaussian_regression", "dataset.problem=regression"),
    ],
    ids=" ".join,
)
def test_a_row_of_weight_two_counts_as_two_rows(stage_of: Any, words: tuple[str, ...]) -> None:
    stage = stage_of(*words, "optimizer=sgd", "optimizer.learning_rate=0.5", "callbacks=learning_rate")
    network, features, truth = stage.network, stage.data.features("train"), stage.data.truth("train").column
    weights = np.where(np.arange(len(truth)) % 3 == 0, 2.0, 1.0).astype(np.float32)
    rows = np.repeat(np.arange(len(truth)), weights.astype(int))
    before = network.get_weights()

    def after(*batch: Any) -> list[Any]:
        network.set_weights(before)
        network.reset_metrics()
        loss = train_step(network, tuple(keras.tree.map_structure(tf.constant, each) for each in batch))["loss"]
        return [np.array(loss), *network.get_weights()]

    weighted = after(features, truth, weights / weights.mean())
    repeated = after({name: values[rows] for name, values in features.items()}, truth[rows])
    alike = after(features, truth)
    moved = 0.0
    for found, expected, old in zip(weighted, repeated, alike, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
        moved = max(moved, float(np.abs(expected - old).max()))
    assert moved > 1e-4  # the weights matter here
