"""The network for tables: its members, its embeddings of numbers, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.base.errors import ConfigError
from dltrain.models.members import Clamp, MemberLoss, for_prediction
from dltrain.models.numeric_embedding import distinct_edges, piecewise_linear, quantile_edges, smooth_clip

SMALL = ("model=tabular", "model.units=[4]", "callbacks=learning_rate")
MEMBERS, ROWS, OUTPUTS = 3, 5, 4
SCORES = np.random.default_rng(0).standard_normal((ROWS, MEMBERS, OUTPUTS)).astype("float32")


def added(kind: str) -> float:
    layer = MemberLoss(kind)
    np.testing.assert_array_equal(layer(SCORES, training=True), SCORES)
    (loss,) = layer.losses
    return float(loss)


def mean_loss(loss: Any, truth: Any, activation: Any, scores: Any) -> float:
    return float(loss(truth, activation(keras.ops.convert_to_tensor(scores))))


@pytest.mark.parametrize(
    ("kind", "loss", "activation", "truth"),
    [
        ("quantity", keras.losses.MeanSquaredError(), lambda scores: scores, SCORES[:, 0] * 2 + 1),
        ("labels", keras.losses.BinaryCrossentropy(), keras.ops.sigmoid, (SCORES[:, 0] > 0).astype("float32")),
        ("classes", keras.losses.SparseCategoricalCrossentropy(), keras.ops.softmax, np.array([0, 1, 2, 3, 0])),
    ],
)
def test_loss_of_the_mean_and_what_is_added_are_the_members_mean_loss(
    kind: str, loss: Any, activation: Any, truth: Any
) -> None:
    of_members = np.mean([mean_loss(loss, truth, activation, SCORES[:, member]) for member in range(MEMBERS)])
    of_mean = mean_loss(loss, truth, activation, SCORES.mean(axis=1))
    assert of_members - of_mean > 0.01
    assert of_mean + added(kind) == pytest.approx(of_members, rel=1e-5)


def test_nothing_is_added_outside_training() -> None:
    layer = MemberLoss("labels")
    layer(SCORES)
    assert layer.losses == []


def test_answers_are_clamped_outside_training_alone() -> None:
    layer = Clamp(-1.0, 1.0)
    values = np.array([[-3.0], [0.5], [2.0]], np.float32)
    np.testing.assert_array_equal(layer(values), [[-1], [0.5], [1]])
    np.testing.assert_array_equal(layer(values, training=True), values)


def test_members_differ_and_their_mean_is_the_answer(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    stage = stage_of(*SMALL, "model.ensemble=3", "dataset.problem=multiclass", "model.linear_path=false")
    train_stage(stage, tmp_path)
    network, rows = stage.network, stage.data.features("validation")
    inner = keras.Model(network.input, network.get_layer("member_heads").output)
    scores = np.asarray(inner(rows))
    assert scores.shape[1:] == (3, 3)
    assert np.abs(scores - scores.mean(axis=1, keepdims=True)).max() > 1e-3
    expected = keras.ops.softmax(scores.mean(axis=1))
    np.testing.assert_allclose(network(rows), expected, rtol=1e-5)
    plain = for_prediction(network)
    np.testing.assert_allclose(plain(rows), expected, rtol=1e-5)
    assert not any(type(layer).__module__.startswith("dltrain") for layer in plain.layers)


def test_a_regression_stays_within_the_range_of_the_train_targets(stage_of: Any) -> None:
    stage = stage_of(*SMALL, "dataset.problem=regression")
    stage.network.get_layer("member_heads").set_weights(
        [value + 100 for value in stage.network.get_layer("member_heads").get_weights()]
    )
    truth = stage.data.truth("train").values
    answers = np.asarray(stage.network(stage.data.features("train")))
    assert answers.max() == truth.max()
    free = stage_of(*SMALL, "dataset.problem=regression", "model.clamp=false")
    assert not [layer for layer in free.network.layers if isinstance(layer, Clamp)]


KINDS = ("none", "periodic", "piecewise_linear")
SWITCHED = ("model.ensemble=1", "model.feature_scaling=false", "model.activation=selu")


@pytest.mark.parametrize(
    ("kind", "switched"),
    [
        # Each kind and each switch once; every pair of them takes longer.
        pytest.param(kind, switched, marks=() if row == column else pytest.mark.slow)
        for row, kind in enumerate(KINDS)
        for column, switched in enumerate(SWITCHED)
    ],
)
def test_each_idea_can_be_switched(stage_of: Any, train_stage: Any, tmp_path: Path, kind: str, switched: str) -> None:
    stage = stage_of(*SMALL, f"model.numeric_embedding={kind}", switched, "dataset.problem=regression")
    names = {layer.name for layer in stage.network.layers}
    assert ("frequencies" in names, "bins" in names) == (kind == "periodic", kind == "piecewise_linear")
    assert ("member_heads" in names) == (switched != "model.ensemble=1")
    assert ("feature_scaling" in names) == (switched != "model.feature_scaling=false")
    (logs,) = train_stage(stage, tmp_path).history
    assert np.isfinite(list(logs.values())).all()


@pytest.mark.parametrize(("rows", "bins"), [(40, 2), (150, 4), (700, 21)])
def test_more_rows_get_more_bins(stage_of: Any, rows: int, bins: int) -> None:
    found = stage_of("model=tabular", "model.units=[2]", f"dataset.rows={rows}", "dataset.problem=regression").network
    assert found.get_layer("bins").output.shape[2] == bins


def test_bins_are_between_edges() -> None:
    train = np.array([[0.0, 7.0], [1.0, 7.0], [3.0, 7.0], [9.0, 7.0], [9.0, 7.0]])
    inputs = keras.Input((2,))
    model = keras.Model(inputs, piecewise_linear(inputs, quantile_edges(train, 4), dimension=3))
    gone = np.asarray(model.get_layer("bins")(np.array([[2.0, 7.0], [-5.0, 8.0], [99.0, 7.0]], np.float32)))
    np.testing.assert_allclose(gone[0, 0].clip(0, 1), [1, 0.5, 0, 0])
    np.testing.assert_allclose(gone[1:, 0].clip(0, 1), [[0, 0, 0, 0], [1, 1, 1, 0]])
    assert not gone[:, 1].any()
    assert not model.get_layer("bins").trainable_weights
    assert model.output.shape == (None, 2, 3)


@pytest.mark.parametrize("bins", [2, 3, 16, 64])
def test_a_column_uses_all_bins_that_its_values_can_fill(bins: int) -> None:
    draw = np.random.default_rng(0)
    rows = 2_000
    columns = {
        "smooth": draw.normal(size=rows),
        "few": draw.integers(0, 5, rows),
        "constant": np.full(rows, 3.0),
        "mostly zero": np.where(draw.random(rows) < 0.97, 0.0, draw.lognormal(7, 1, rows)),
        "two peaks": draw.choice([0.0, 40.0], rows) + np.where(draw.random(rows) < 0.2, draw.integers(1, 90, rows), 0),
    }
    edges = distinct_edges(np.column_stack(list(columns.values())), bins)
    assert edges.shape == (len(columns), bins + 1)
    for found, column in zip(edges, columns.values(), strict=True):
        values = np.unique(column)
        assert (np.diff(found) >= 0).all()
        assert (found[0], found[-1]) == (values[0], values[-1])
        assert set(found) <= set(values)
        # A step that ends within the rows of a value may end there twice.
        assert len(np.unique(found)) >= min(len(values), bins + 1) - 1
    # Without a peak they are quantiles.
    expected = quantile_edges(columns["smooth"][:, None], bins)[0]
    np.testing.assert_allclose(edges[0], expected, atol=0.05)


def test_numbers_are_bent_into_the_bound_however_large_they_are() -> None:
    numbers = np.array([-3.4e38, -3.0, -0.1, 0.0, 1.0, 1e20], np.float32)
    found = np.asarray(smooth_clip(numbers, 3.0))
    np.testing.assert_allclose(found, [-3, -3 / 2**0.5, -0.1, 0, 3 / 10**0.5, 3], rtol=1e-3)
    assert (np.diff(found) >= 0).all()


def test_bins_of_earlier_versions_stay_at_quantiles(stage_of: Any) -> None:
    words = ("model=tabular", "model.units=[2]", "dataset.rows=700", "dataset.problem=regression")
    found = stage_of(*words, "model.bin_edges=quantile").network
    assert found.get_layer("bins").output.shape[2] == 16


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("model.numeric_embedding=fourier",), "expected none, periodic, piecewise_linear, got 'fourier'"),
        (
            ("model.numeric_embedding=none", "model.bin_edges=distinct"),
            "model.bin_edges has no effect with model.numeric_embedding=none",
        ),
        (("model.frequencies=4",), "model.frequencies has no effect with model.numeric_embedding=piecewise_linear"),
        (("model.clamp=true", "task=binary"), "model.clamp has no effect with task=binary"),
        (("model.units=[]",), "without a hidden layer all members are the same"),
        (
            ("task=regression", "task.loss._target_=keras.losses.Huber"),
            "worked out for MeanSquaredError, not for Huber",
        ),
        (("model.ensemble=0",), "expected a number from 1 to 2,147,483,647, got 0"),
    ],
)
def test_what_cannot_work_is_refused(compose_config: Any, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose_config("model=tabular", *words)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_row_has_the_same_answer_among_any_number_of_rows(stage_of: Any, task: str) -> None:
    """Keras' addition takes a vector as long as the members for their bias, whichever axis it is on."""
    stage = stage_of(*SMALL, "model.ensemble=3", "model.linear_path=true", f"dataset.problem={task}")
    random = np.random.default_rng(0)
    stage.network.set_weights([each + random.normal(0, 0.3, each.shape) for each in stage.network.get_weights()])
    features = stage.data.features("validation")["table"][:7]
    expected = stage.network({"table": features}).numpy()
    for rows in range(1, 7):
        found = stage.network({"table": features[:rows]}).numpy()
        np.testing.assert_allclose(found, expected[:rows], rtol=1e-5, err_msg=f"{rows} rows")
