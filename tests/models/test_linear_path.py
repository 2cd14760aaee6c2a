"""The linear path: it is the linear model of the train rows, to which the hidden layers add little at first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from dltrain.models import linear_path
from dltrain.models.linear_path import (
    PENALTIES,
    SMALL_PENALTIES,
    answer_bounds,
    fit_penalized,
    rounded,
    strongest_penalty,
)
from dltrain.models.parts import Inputs

MLP = ("model=mlp", "model.units=[3]", "model.linear_path=true", "callbacks=learning_rate")
TABULAR = ("model=tabular", "model.units=[3]", "callbacks=learning_rate")


def linear_answers(stage: Any, part: str) -> Any:
    """What the linear model alone answers, by its recorded weights."""
    kernel, bias = stage.network.get_layer("linear_path").get_weights()
    scores = stage.data.features(part)["table"] @ kernel + bias
    task, target = stage.data.target.task, stage.data.target
    if task == "regression":
        return scores * target.scale + target.offset
    if task == "multiclass":
        return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return 1 / (1 + np.exp(-scores))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (MLP, "binary"),
        (MLP, "multilabel"),
        ((*TABULAR, "model.ensemble=1"), "regression"),
        ((*TABULAR, "model.ensemble=2"), "multiclass"),
    ],
)
def test_the_network_starts_as_the_linear_model(stage_of: Any, words: tuple[str, ...], problem: str) -> None:
    stage = stage_of(*words, f"dataset.problem={problem}", "dataset.rows=60")
    expected = linear_answers(stage, "train")
    assert np.ptp(expected, axis=0).max() > 0.01 * np.abs(expected).max()
    if problem == "regression":  # clamped
        truth = stage.data.truth("train").values
        expected = expected.clip(truth.min(), truth.max()) if "model=tabular" in words else expected
    found = np.asarray(stage.network(stage.data.features("train")))
    assert 0 < np.abs(found - expected).max() < 0.1 * stage.data.target.scale


def test_a_sum_of_columns_is_found_at_once_and_all_but_it_is_trained(
    stage_of: Any, train_stage: Any, tmp_path: Path
) -> None:
    stage = stage_of(*MLP, "dataset.problem=regression", "dataset.rows=200", "trainer.epochs=2")
    fixed = stage.network.get_layer("linear_path").get_weights()
    before = [weight.numpy() for weight in stage.network.trainable_weights]
    truth, part = stage.data.truth("validation").values, stage.data.features("validation")
    start = np.asarray(stage.network(part))[:, 0]
    assert np.mean((truth - start) ** 2) < 0.7 * truth.var()
    train_stage(stage, tmp_path)
    for weight, earlier in zip(stage.network.trainable_weights, before, strict=True):
        assert np.abs(weight.numpy() - earlier).max() > 0, weight.path
    for weight, earlier in zip(stage.network.get_layer("linear_path").get_weights(), fixed, strict=True):
        np.testing.assert_array_equal(weight, earlier)


def test_outliers_reach_the_linear_path_whole_and_the_hidden_layers_bent(stage_of: Any) -> None:
    words = (*TABULAR, "model.ensemble=1", "dataset.problem=regression", "model.clamp=false")
    network = stage_of(*words).network
    inner = keras.Model(network.input, [network.get_layer("linear_path").output, network.get_layer("head").input])
    rows = {"table": np.zeros((3, network.input["table"].shape[1]), np.float32)}
    rows["table"][1:, 0] = 1e3, 2e3
    linear, hidden = (np.asarray(found) for found in inner(rows))
    gaps = np.diff(linear[:, 0])
    assert gaps[0] == pytest.approx(gaps[1], rel=1e-4) != 0
    assert np.abs(hidden[2] - hidden[1]).max() < 1e-2 < np.abs(hidden[1] - hidden[0]).max()


def test_embedded_categories_have_a_score_of_their_own(stage_of: Any) -> None:
    stage = stage_of("dataset=titanic", *MLP, "encoding=embedding", "rows=80")
    names = [layer.name for layer in stage.network.layers if layer.name.startswith("linear_path_")]
    assert len(names) == len(stage.data.preprocessing.categories) > 0


def test_without_columns_there_is_no_path(stage_of: Any) -> None:
    stage = stage_of("dataset=synthetic", "dataset.kind=image", *MLP, "dataset.rows=30")
    assert not [layer for layer in stage.network.layers if layer.name.startswith("linear_path")]


def test_penalty_is_strong_where_there_is_nothing_to_find_and_weak_where_all_is_linear() -> None:
    draw = np.random.default_rng(0)
    features = draw.normal(size=(300, 5))
    exact, noise = features.sum(axis=1), draw.normal(size=300)
    assert fit_penalized(Ridge(), "alpha", features, exact).alpha == SMALL_PENALTIES[0]
    assert fit_penalized(Ridge(), "alpha", features, noise).alpha == PENALTIES[-1]
    assert pytest.approx(PENALTIES[-1]) == 1 / fit_penalized(LogisticRegression(), "C", features, noise > 0).C


def test_small_differences_of_columns_that_tell_the_same_are_found() -> None:
    draw = np.random.default_rng(0)
    waves = np.linspace(0, 1, 40)
    common, slope = draw.normal(size=(200, 1)), draw.normal(size=(200, 1))
    spectra = common * (1 + waves) + 0.02 * slope * np.sin(6 * waves) + 0.0003 * draw.normal(size=(200, 40))
    fitted = fit_penalized(Ridge(), "alpha", spectra[:120], slope[:120, 0])
    strong = Ridge(PENALTIES[0]).fit(spectra[:120], slope[:120, 0])
    errors = [np.sqrt(np.mean((each.predict(spectra[120:]) - slope[120:, 0]) ** 2)) for each in (fitted, strong)]
    assert errors[0] < errors[1] / 2


def test_a_difference_within_noise_does_not_count() -> None:
    even = np.ones(100)
    losses = np.stack([even, even + np.tile([0.5, -0.49], 50), even + 0.1], axis=1)
    assert strongest_penalty(losses) == 1


def test_a_class_of_few_rows_and_a_class_without_rows_are_borne(stage_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_path, "ROWS_OF_FIT", 7)  # of which some class has a row or none
    stage = stage_of(*MLP, "dataset.problem=multiclass", "dataset.rows=60")
    assert np.isfinite(linear_answers(stage, "train")).all()


def test_weights_are_the_same_whatever_the_order_of_additions_was() -> None:
    values = np.array([0.0, 1.234567, -98765.4321, 3e-7])
    np.testing.assert_array_equal(rounded(values), rounded(values * (1 + 1e-12)))
    np.testing.assert_allclose(rounded(values), values, rtol=1e-3)


@pytest.mark.parametrize(
    ("made", "wider"),
    [(lambda total: total, True), (lambda total: np.maximum(total, 0), False), (np.abs, False), (np.tanh, False)],
    ids=["a sum", "an amount", "a distance", "a share"],
)
def test_answers_leave_the_range_of_the_targets_where_a_linear_model_goes_on_well(made: Any, wider: bool) -> None:
    random = np.random.default_rng(0)
    table = random.standard_t(3, (400, 3))
    target = made(table.sum(axis=1))[:, None] + random.normal(0, 0.01, (400, 1))
    inputs = Inputs({"table": None}, {}, 0, None, 3, {"table": table, "target": target}.__getitem__)
    least, most = target.min(), target.max()
    assert answer_bounds(inputs, beyond=False) == (least, most)
    room = wider * (most - least)
    assert answer_bounds(inputs, beyond=True) == pytest.approx((least - room, most + room))
