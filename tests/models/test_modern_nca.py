"""The network that answers with the targets of near train rows: which rows these are, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.base.errors import ConfigError
from dltrain.models.members import for_prediction
from dltrain.models.modern_nca import Neighbors

SMALL = ("model=modern_nca", "model.dimension=4", "callbacks=learning_rate")
WIDTH, ROWS = 3, 12


@pytest.fixture
def layer() -> Any:
    """Twelve rows of three numbers and the id of a category, whose targets are drawn at random."""
    draw = np.random.default_rng(0)
    numbers, ids = keras.Input((WIDTH,)), keras.Input((1,), dtype="int32")
    joined = keras.layers.Concatenate()([numbers, keras.layers.Embedding(5, 2)(ids[:, 0])])
    found = Neighbors(keras.Model([numbers, ids], keras.layers.Dense(4)(joined)), ROWS, 1, 1.0)
    found([keras.ops.zeros((1, WIDTH)), keras.ops.zeros((1, 1), "int32")])
    rows = [draw.normal(size=(ROWS, WIDTH)).astype("float32"), draw.integers(0, 5, (ROWS, 1)).astype("int32")]
    found.hold(rows, draw.normal(size=(ROWS, 1)))
    return found


def rows_of(layer: Any) -> list[Any]:
    return [np.array(each) for each in layer.held]


def test_in_training_no_row_is_its_own_neighbor(layer: Any) -> None:
    rows = rows_of(layer)
    before = np.array(layer(rows, training=True))
    answered = np.array(layer(rows))
    for place in range(ROWS):
        targets = np.array(layer.targets)
        targets[place] += 100
        layer.hold(rows, targets)
        layer.mean.assign([0.0])
        changed, predicted = np.array(layer(rows, training=True)), np.array(layer(rows))
        targets[place] -= 100
        layer.hold(rows, targets)
        moved = np.abs(changed - before)[:, 0] > 1
        assert not moved[place]
        assert moved.sum() > 0
        assert predicted[place] - answered[place] > 1


def test_equal_rows_are_no_neighbors_in_training_and_a_row_that_differs_in_one_column_is(layer: Any) -> None:
    rows, targets = rows_of(layer), np.zeros((ROWS, 1))
    rows[0][1], rows[1][1] = rows[0][0], rows[1][0]
    rows[0][2], rows[1][2] = rows[0][0], (rows[1][0] + 1) % 5
    targets[1] = 1000
    layer.hold(rows, targets)
    layer.mean.assign([0.0])
    first = [each[:1] for each in rows]
    assert abs(float(layer(first, training=True)[0, 0])) < 1e-3
    assert float(layer(first)[0, 0]) > 1
    layer.hold(rows, np.roll(targets, 1, axis=0))
    layer.mean.assign([0.0])
    assert float(layer(first, training=True)[0, 0]) > 1


def test_a_row_that_equals_all_others_gets_the_mean_in_training(layer: Any) -> None:
    rows = [np.repeat(each[:1], ROWS, axis=0) for each in rows_of(layer)]
    layer.hold(rows, 100 * np.eye(ROWS, 1))
    layer.mean.assign([7.0])
    np.testing.assert_allclose(layer(rows, training=True), 7.0, rtol=1e-6)


def test_a_share_of_the_rows_takes_part_in_a_step(layer: Any) -> None:
    layer.share = 0.25
    layer.hold(rows_of(layer), np.eye(ROWS, 1) * 1000)
    layer.mean.assign([0.0])
    elsewhere = [np.full((1, WIDTH), 9, "float32"), np.zeros((1, 1), "int32")]
    answers = [float(layer(elsewhere, training=True)[0, 0]) for _ in range(40)]
    assert 1 <= sum(abs(answer) > 1e-3 for answer in answers) <= 25


def test_what_predicts_gives_the_same_answers_for_one_row_as_for_many(layer: Any) -> None:
    draw = np.random.default_rng(1)
    rows = [draw.normal(size=(20, WIDTH)).astype("float32"), draw.integers(0, 5, (20, 1)).astype("int32")]
    rows = [np.concatenate(pair) for pair in zip(rows, rows_of(layer), strict=True)]
    inputs = [keras.Input(each.shape[1:], dtype=each.dtype) for each in rows]
    network = keras.Model(inputs, layer(inputs))
    plain = for_prediction(network)
    assert not any(type(each).__module__.startswith("dltrain") for each in plain.layers)
    expected = np.array(network(rows))
    np.testing.assert_allclose(plain(rows), expected, rtol=1e-6, atol=1e-6)
    single = np.concatenate([plain([each[place : place + 1] for each in rows]) for place in range(len(rows[0]))])
    np.testing.assert_allclose(single, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("problem", ["binary", "multiclass", "regression"])
def test_only_train_rows_are_held(stage_of: Any, train_stage: Any, tmp_path: Path, problem: str) -> None:
    stage = stage_of(*SMALL, f"dataset.problem={problem}", "model.neighbors=20")
    layer = stage.network.get_layer("neighbors")
    train = stage.data.train_values("table")
    held = np.array(layer.held[0])
    assert held.shape == (20, train.shape[1])
    assert all((train == row).all(axis=1).any() for row in held)
    (logs,) = train_stage(stage, tmp_path).history
    assert np.isfinite(list(logs.values())).all()
    np.testing.assert_array_equal(layer.held[0], held)
    answers = np.array(stage.network(stage.data.features("validation")))
    if problem == "multiclass":
        np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("task=quantile_regression",), "mean of targets"),
        (("model.share=0",), r"model\.share: expected a share above 0"),
        (("model.neighbors=1",), r"model\.neighbors: expected at least 2"),
        (("dataset.kind=image",), "needs numbers or categories"),
    ],
)
def test_what_cannot_be_is_refused(stage_of: Any, words: tuple[str, ...], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        stage_of(*SMALL, "dataset.problem=regression", *words)
