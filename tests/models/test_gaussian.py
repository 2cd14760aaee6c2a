"""Answers with a standard deviation: likelihood, members, mixtures, and a run from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.targets import encode
from dltrain.models import gaussian
from dltrain.models.members import MemberLoss
from dltrain.models.monte_carlo import with_passes

TRUTH = np.array([[1.0], [-2.0], [0.5]], np.float32)
ANSWERS = np.array([[0.0, 1.0], [-2.5, 0.3], [2.0, 4.0]], np.float32)
DENSITY = norm.logpdf(TRUTH[:, 0], ANSWERS[:, 0], ANSWERS[:, 1])


def test_likelihood_is_that_of_the_normal_distribution() -> None:
    np.testing.assert_allclose(gaussian.GaussianNegativeLogLikelihood().call(TRUTH, ANSWERS), -DENSITY, rtol=1e-5)
    metric = gaussian.LogLikelihood()
    metric.update_state(TRUTH, ANSWERS)
    assert float(metric.result()) == pytest.approx(DENSITY.mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("made", "plain"),
    [
        (gaussian.RootMeanSquaredErrorOfMean(), keras.metrics.RootMeanSquaredError()),
        (gaussian.MeanAbsoluteErrorOfMean(), keras.metrics.MeanAbsoluteError()),
    ],
)
def test_errors_are_those_of_the_mean(made: Any, plain: Any) -> None:
    made.update_state(TRUTH, ANSWERS)
    plain.update_state(TRUTH, ANSWERS[:, :1])
    assert float(made.result()) == float(plain.result())


def test_answer_is_in_the_units_of_the_target() -> None:
    scores = np.array([[0.5, 0.0], [-1.0, 3.0]], np.float32)
    found = gaussian.mean_and_deviation(gaussian.natural_parameters(scores), 100.0, 10.0)
    precision = np.log1p(np.exp(scores[:, 1]))
    np.testing.assert_allclose(found, np.stack([100 + 10 * scores[:, 0], 10 / np.sqrt(precision)], 1), rtol=1e-5)


def test_loss_of_the_members_is_that_of_their_mean_and_what_is_added() -> None:
    scores = np.random.default_rng(0).standard_normal((3, 4, 2)).astype("float32")
    parameters = gaussian.natural_parameters(scores)
    layer, loss = MemberLoss("gaussian"), gaussian.GaussianNegativeLogLikelihood()

    def of(given: Any) -> float:
        return float(loss(TRUTH, gaussian.mean_and_deviation(given, 0.0, 1.0)))

    layer(parameters, training=True)
    expected = np.mean([of(parameters[:, member]) for member in range(4)])
    assert float(layer.losses[0]) > 0.01
    assert of(keras.ops.mean(parameters, axis=1)) + float(layer.losses[0]) == pytest.approx(expected, rel=1e-5)


def test_mixture_has_the_moments_of_its_parts() -> None:
    found = np.asarray(gaussian.mixture([ANSWERS, ANSWERS + 1]))
    mean = ANSWERS[:, 0] + 0.5
    second = np.mean([ANSWERS[:, 0] ** 2 + ANSWERS[:, 1] ** 2, (ANSWERS[:, 0] + 1) ** 2 + (ANSWERS[:, 1] + 1) ** 2], 0)
    np.testing.assert_allclose(found, np.stack([mean, np.sqrt(second - mean**2)], 1), rtol=1e-5)


def test_a_run_tells_likelihood_and_deviation(run_in: Any, tmp_path: Path) -> None:
    words = ("dataset.problem=regression", "task=gaussian_regression", "trainer.epochs=1", "model.units=[2]")
    results = run_in(tmp_path, *words).results
    for part, scores in results.metrics.items():
        assert scores["log_likelihood"] == pytest.approx(-scores["loss"], abs=1e-4), part
    assert all("log_likelihood" in scores["test"] for scores in results.baselines.values())
    assert set(results.intervals["test"]) == {"loss", "rmse", "mae", "log_likelihood"}

    from dltrain import load

    cells = {"category": ["level_1", "level_2"], "numeric": [0.5, 1.5]}
    loaded = load(tmp_path)
    found = loaded.predict(pd.DataFrame({column.name: cells[column.kind] for column in loaded.signature.columns}))
    assert list(found.columns) == ["prediction", "standard_deviation"]
    assert (found["standard_deviation"] > 0).all()


def test_passes_differ_by_the_dropped_units_and_repeat_with_the_seed(stage_of: Any) -> None:
    stage = stage_of("dataset.problem=regression", "task=gaussian_regression", "model.units=[8]", "model.dropout=0.5")
    rows = stage.data.features("train")
    once, again, other = (np.asarray(with_passes(stage.network, 20, seed)(rows)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert np.abs(once - other).max() > 1e-3
    plain = np.asarray(stage.network(rows))
    # The spread between the passes comes on top of what each tells itself.
    assert (once[:, 1] > plain[:, 1] * 0.8).all()
    assert not np.allclose(once[:, 0], plain[:, 0], rtol=1e-3)
    mean = np.asarray(with_passes(stage.network, 1000, 1)(rows))[:, 0]
    assert np.abs(mean - plain[:, 0]).max() < np.abs(once[:, 0] - plain[:, 0]).max()


def test_folds_are_joined_as_a_mixture(run_in: Any, tmp_path: Path) -> None:
    words = ("task=gaussian_regression", "dataset.problem=regression", "model.units=[2]", "trainer.epochs=1")
    scores = run_in(tmp_path, *words, "cv=kfold", "cv.folds=2", "cv.ensemble=true").results.metrics["test"]
    assert scores["loss"] == pytest.approx(-scores["log_likelihood"], abs=1e-4)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("task.loss._target_=keras.losses.MeanSquaredError",), "knows one number a row"),
        (("task.metrics.rmse._target_=keras.metrics.RootMeanSquaredError",), "task.metrics.rmse: keras.*LogLikelihood"),
        (("task.activation=sigmoid",), "expected null, got sigmoid"),
        (("task.monte_carlo_dropout=50", "model.dropout=0.0"), "drops no units. Use model.dropout=0.2"),
        (("task.monte_carlo_dropout=1",), "task.monte_carlo_dropout"),
    ],
)
def test_what_knows_no_deviation_is_refused(compose_config: Any, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose_config("task=gaussian_regression", *words)


def test_classes_are_refused(make_dataset: Any) -> None:
    with pytest.raises(ConfigError, match="holds text"):
        encode(make_dataset({"a": np.arange(3.0)}, target=np.array(["x", "y", "x"], object)), "gaussian_regression")
    with pytest.raises(DataError, match="infinite"):
        encode(make_dataset({"a": np.arange(3.0)}, target=np.array([1, np.inf, 2])), "gaussian_regression")
