"""Answers with a standard deviation: likelihood, members, mixtures, and a run from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from dltrain import gaussian
from dltrain.errors import ConfigError, DataError
from dltrain.models.members import MemberLoss
from dltrain.targets import encode

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


@pytest.mark.parametrize("model", [("model.units=[2]",), ("model=tabular", "model.units=[2]", "model.ensemble=2")])
def test_a_run_tells_the_deviation_and_its_model_loads_with_keras_alone(
    run_in: Any, tmp_path: Path, model: tuple[str, ...]
) -> None:
    words = ("dataset.problem=regression", "task=gaussian_regression", "trainer.epochs=1", *model)
    path, results = run_in(tmp_path / "run", *words).path, run_in(tmp_path / "again", *words).results
    for part, scores in results.metrics.items():
        assert scores["log_likelihood"] == pytest.approx(-scores["loss"], abs=0.05), part
    assert all("log_likelihood" in scores["test"] for scores in results.baselines.values())
    assert set(results.intervals["test"]) == {"loss", "rmse", "mae", "log_likelihood"}
    table = pd.read_csv(path / "predictions.csv").iloc[:5]
    assert (table["standard_deviation"] > 0).all()

    from dltrain import load

    loaded = load(path)
    cells = {"category": ["level_1", "level_2"], "numeric": [0.5, 1.5]}
    rows = pd.DataFrame({column.name: cells[column.kind] for column in loaded.signature.columns})
    found = loaded.predict(rows)
    assert list(found.columns) == ["prediction", "standard_deviation"]
    assert not [layer for layer in loaded.network._flatten_layers() if type(layer).__module__.startswith("dltrain")]


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
