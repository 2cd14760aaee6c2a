"""The callbacks that record: limits, losses of mini-batches, spread of layers, gradient check; and their pictures."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.base.errors import ConfigError
from dltrain.engine import engine
from dltrain.training.batch_loss import weighted_averages
from dltrain.training.layer_spread import spread
from dltrain.verbs import resume

ALL = "callbacks=[default,convergence,batch_loss,layer_spread,gradient_check]"
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


@pytest.fixture(scope="module")
def run(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_in(tmp_path_factory.mktemp("recorded"), *DESCENT, ALL, "report=true")


def test_limits_are_those_of_gradient_descent(run: Any) -> None:
    rows = [{name: float(cell) for name, cell in row.items()} for row in run.rows("history.csv")]
    for before, after in itertools.pairwise(rows):
        # The gradient after an epoch makes the next one's step, and the loss logged for that is the loss before it.
        assert after["weight_change"] == pytest.approx(0.1 * before["gradient_norm"], rel=1e-4)
        assert before["loss_change"] == pytest.approx(abs(after["loss"] - before["loss"]), rel=1e-3)


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


def test_losses_of_mini_batches_average_to_that_of_the_epoch(run_in: Any, tmp_path: Path) -> None:
    made = run_in(
        tmp_path, "callbacks=[csv_history,batch_loss]", "model=linear", "trainer.batch_size=8", "trainer.epochs=3"
    )
    losses = [float(row["loss"]) for row in made.rows("batch_losses.csv")]
    (rows,) = {len(part) for name, part in made.json("splits.json").items() if name == "train"}
    sizes = [8] * (rows // 8) + ([rows % 8] if rows % 8 else [])
    assert len(losses) == 3 * len(sizes)
    for epoch, row in enumerate(made.rows("history.csv")):
        part = losses[epoch * len(sizes) : (epoch + 1) * len(sizes)]
        assert np.average(part, weights=sizes) == pytest.approx(float(row["loss"]), rel=1e-5)


def test_bias_correction_gives_the_mean_of_what_was_seen() -> None:
    (first, second), beta = ((0.1, 1.0), (0.29, (0.9 * 0.1 + 0.1 * 2) / (1 - 0.81))), 0.9
    assert list(weighted_averages([1.0, 2.0], beta)) == [pytest.approx(first), pytest.approx(second)]
    constant = [corrected for _, corrected in weighted_averages([3.0] * 50, 0.98)]
    assert constant == pytest.approx([3.0] * 50)


def test_spread_is_a_histogram_of_powers_of_ten() -> None:
    found = spread(np.array([0.0, 0.0, 1.5, -1.5, 1e-3, 1e30]))
    assert found["zero"] == pytest.approx(1 / 3)
    assert found["first"] == -3.0
    assert sum(found["shares"]) == pytest.approx(4 / 6, abs=1e-4)
    assert found["shares"][12] == pytest.approx(2 / 6, abs=1e-4)  # from 1 to 10^0.25
    assert found["shares"][-1] > 0  # what is larger than all bins is in the last
    assert spread(np.zeros(3)) == {"first": -12.0, "shares": [], "zero": 1.0, "sd": 0.0}


def test_layers_are_seen_before_and_after_the_training(run_in: Any, tmp_path: Path) -> None:
    made = run_in(tmp_path, "callbacks=[layer_spread]", "model.units=[4,3]", "initializer=zeros", "trainer.epochs=2")
    found = made.json("layers.json")
    assert [len(found[moment]) for moment in ("before", "after")] == [3, 3]
    assert [layer["outputs"]["zero"] for layer in found["before"][:2]] == [1.0, 1.0]


def test_gradient_check_leaves_the_training_alone(run: Any, run_in: Any, tmp_path: Path) -> None:
    found = run.json("gradient_check.json")
    assert found["status"] == "fine"
    assert max(layer["relative_error"] for layer in found["details"]) < 1e-7
    assert keras.config.floatx() == "float32"
    plain = run_in(tmp_path, *DESCENT)
    assert (plain.path / "predictions.csv").read_bytes() == (run.path / "predictions.csv").read_bytes()


def test_each_has_one_picture_in_the_report(run: Any) -> None:
    names = {file.stem for file in (run.path / "plots").glob("*.svg")}
    assert {"limits", "batch_losses", "layer_spreads", "gradient_check"} <= names
    assert not {f"curve_{name}" for name in MEASURED} & names
    assert "What was recorded besides" in (run.path / "report.html").read_text()


def test_a_resumed_run_has_recorded_the_same(run_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dltrain.training.state import TrainingState

    monkeypatch.setattr(engine, "FIRST_SEGMENT", 1)
    words = (
        "callbacks=[default,convergence,batch_loss,layer_spread]",
        "trainer.batch_size=8",
        "trainer.epochs=3",
        "trainer.save_state_seconds=0",
        "model.units=[2]",
        "model.dropout=0.3",
    )
    whole = run_in(tmp_path / "whole", *words)
    real, calls = TrainingState.on_segment_end, []

    def cut(self: Any, epoch: int, step: int) -> None:
        real(self, epoch, step)
        calls.append(step)
        if len(calls) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr("dltrain.training.state.MOST_OF_THE_TIME", float("inf"))
    monkeypatch.setattr(TrainingState, "on_segment_end", cut)
    with pytest.raises(KeyboardInterrupt):
        run_in(tmp_path / "cut", *words)
    monkeypatch.setattr(TrainingState, "on_segment_end", real)
    assert resume.VERB.main([str(tmp_path / "cut")]) == 0
    for name in ("history.csv", "batch_losses.csv", "layers.json", "predictions.csv"):
        # Keras counts the layers of the process on.
        one, other = (
            re.sub(r"dense_?\d*", "dense", (path / name).read_text()) for path in (tmp_path / "cut", whole.path)
        )
        assert one == other, name
