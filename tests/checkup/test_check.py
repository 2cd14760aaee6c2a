from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.base.outcome import FAILED, FINE, LOOK
from dltrain.checkup.checked_network import CheckedNetwork
from dltrain.checkup.speed import check_learning_rate, time_batch_sizes
from dltrain.checkup.start import check_first_loss, check_flow, check_one_batch
from dltrain.cli.main import main
from dltrain.engine.gradients import check_gradients, double_precision
from dltrain.experiment.experiment import Experiment

QUICK = ("dataset=synthetic", "dataset.rows=60", "checks=none")


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _doubled_backwards(values: Any) -> Any:
    return tf.identity(values), lambda gradient: 2.0 * gradient


class WrongGradient(keras.layers.Layer):
    """Hands its input on, and twice the gradient back."""

    def call(self, values: Any) -> Any:
        return _doubled_backwards(values)


def model_with_a_fault(inputs: Any, head: Any, *, initializer: Any) -> Any:
    """Two dense layers with a wrong gradient between them."""
    hidden = keras.layers.Dense(4, "tanh", kernel_initializer=initializer(), name="below")(inputs.flat())
    hidden = WrongGradient(name="fault")(hidden)
    return head(keras.layers.Dense(4, "tanh", kernel_initializer=initializer(), name="above")(hidden))


@pytest.fixture
def subject_of(stage_of: Any) -> Any:
    def make(*overrides: str, start: Callable[[keras.Model], None] = lambda network: None) -> CheckedNetwork:
        small = () if "model=linear" in overrides else ("model.units=[8,8]",)
        stage = stage_of("checks=none", *small, *overrides)
        start(stage.network)
        return CheckedNetwork(Experiment(stage.task, stage.data, stage.network, stage.batch_size), seed=0)

    return make


@pytest.mark.parametrize("problem", ["binary", "multiclass", "multilabel", "regression"])
def test_gradients_of_every_task_are_right(subject_of: Any, problem: str) -> None:
    with double_precision():
        checked = subject_of(f"dataset.problem={problem}", "regularizer=course")
        outcome = check_gradients(checked.network, checked.numbers, checked.truth.column, seed=0)
    assert outcome.status == FINE
    assert len(outcome.details) == 5
    assert all(each["relative_error"] < 1e-6 for each in outcome.details)
    assert keras.config.floatx() == "float32"
    assert keras.config.dtype_policy().name == "float32"


def test_a_planted_wrong_gradient_is_found_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "faulty.yaml").write_text(f"_target_: {__name__}.model_with_a_fault\n")
    assert main(["check", *QUICK, "--config-dir", str(tmp_path), "model=faulty", "--json"]) == 1
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["checks"]}
    assert found["gradients"]["status"] == FAILED
    assert "The gradient of below is wrong" in found["gradients"]["text"]
    assert "of above, above it, it is right" in found["gradients"]["text"]
    errors = {each["layer"]: each["relative_error"] for each in found["gradients"]["details"]}
    assert errors["below"] == pytest.approx(1 / 3, rel=1e-3)  # |g - 2g| / (|g| + |2g|)
    assert max(errors["above"], errors["head"]) < 1e-7


@pytest.mark.parametrize(
    ("problem", "expected"),
    [("binary", math.log(2)), ("multiclass", math.log(3)), ("multilabel", math.log(2)), ("regression", 1.0)],
)
def test_first_loss_is_compared_with_that_of_a_guess(subject_of: Any, problem: str, expected: float) -> None:
    outcome = check_first_loss(subject_of(f"dataset.problem={problem}", "initializer=zeros", "model=linear"))
    # The train rows of the variance are those that the target is scaled on.
    assert outcome.details[0]["expected"] == pytest.approx(expected, rel=1e-5)


def test_first_loss_far_beyond_the_guess(subject_of: Any) -> None:
    loud = ("initializer=too_large", "normalization=none", "dataset.problem=regression")
    assert check_first_loss(subject_of(*loud)).status == FAILED


def test_flow(subject_of: Any) -> None:
    problem = "dataset.problem=regression"
    assert check_flow(subject_of(problem)).status == FINE
    vanishing = check_flow(subject_of(problem, "initializer=too_small", "normalization=none", "model.units=[8,8,8]"))
    assert vanishing.status == FAILED
    assert "Vanishing" in vanishing.text
    exploding = check_flow(subject_of(problem, "initializer=too_large", "normalization=none", "model.units=[8,8,8]"))
    assert exploding.status == FAILED
    assert "Exploding" in exploding.text


def test_dead_units_are_told(subject_of: Any) -> None:
    def start(network: keras.Model) -> None:
        network.get_layer("dense_1").bias.assign(np.array([-50.0] * 6 + [0.0] * 2, np.float32))

    outcome = check_flow(subject_of("normalization=none", "dataset.problem=regression", start=start))
    assert outcome.status == LOOK
    assert outcome.text == "75 % of the units of activation_1 are zero for every row."


def test_one_batch_is_learned_by_heart_and_the_start_is_restored(subject_of: Any) -> None:
    checked = subject_of("dataset.problem=regression", "model.units=[32]", "model.dropout=0")
    before = [np.array(weight) for weight in checked.network.variables]
    outcome = check_one_batch(checked)
    assert outcome.status == FINE
    assert outcome.details[0]["last_loss"] < 0.1 * outcome.details[0]["first_loss"]
    for old, weight in zip(before, checked.network.variables, strict=True):
        np.testing.assert_array_equal(old, np.array(weight))


def test_one_batch_that_is_not_learned(subject_of: Any) -> None:
    outcome = check_one_batch(subject_of("dataset.problem=regression", "optimizer.learning_rate=1e-9"))
    assert outcome.status == FAILED
    assert outcome.tries == ("optimizer.learning_rate=1e-08",)


def test_learning_rate_that_is_far_off_is_told(subject_of: Any) -> None:
    slow = check_learning_rate(subject_of("dataset.problem=binary", "optimizer.learning_rate=1e-7"), seed=0)
    assert slow.status == LOOK
    (words,) = slow.tries
    suggested = float(words.partition("=")[2])
    assert 1e-4 < suggested < 1
    mine = check_learning_rate(subject_of("dataset.problem=binary", f"optimizer.learning_rate={suggested}"), seed=0)
    assert mine.status == FINE
    assert mine.tries == ()


def test_batch_sizes_are_timed(subject_of: Any) -> None:
    outcome = time_batch_sizes(subject_of("dataset.problem=binary", "trainer.batch_size=5"))
    assert [each["batch_size"] for each in outcome.details] == [5, 16, 32]
    assert all(each["rows_a_second"] > 0 for each in outcome.details)


def test_verb_passes_a_good_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *QUICK, "model.units=[32]", "dataset.problem=regression", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] is True
    names = ["data", "first loss", "layers", "gradients", "one batch", "learning rate", "batch size"]
    assert [each["name"] for each in found["checks"]] == names


def test_verb_refuses_faults_of_the_config(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "optimizer=adm"]) == 2
    assert "Did you mean optimizer=adam?" in capsys.readouterr().err
