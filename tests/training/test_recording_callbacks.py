"""The callbacks that record: limits, losses of mini-batches, spread of layers, gradient check; and their pictures."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import keras
import pytest

from dltrain.engine import engine
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


def test_gradient_check_leaves_the_training_alone(run: Any, run_in: Any, tmp_path: Path) -> None:
    found = run.json("gradient_check.json")
    assert found["status"] == "fine"
    assert max(layer["relative_error"] for layer in found["details"]) < 1e-7
    assert keras.config.floatx() == "float32"
    plain = run_in(tmp_path, *DESCENT)
    assert (plain.path / "predictions.csv").read_bytes() == (run.path / "predictions.csv").read_bytes()


def test_gradient_check_of_a_network_with_dropout_and_penalties(run_in: Any, tmp_path: Path) -> None:
    words = ("callbacks=[default,gradient_check]", "model.units=[3]", "model.dropout=0.3", "regularizer=l1_l2")
    assert run_in(tmp_path, *words).json("gradient_check.json")["status"] == "fine"


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
