from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.base.outcome import FAILED, FINE, LOOK
from dltrain.checkup.checked_network import CheckedNetwork
from dltrain.checkup.start import check_first_loss, check_flow, check_one_batch


def checked(stage_of: Any, *words: str, bias: float = 0.0) -> CheckedNetwork:
    stage = stage_of("model=linear", "dataset.problem=binary", *words)
    head = stage.network.get_layer("head")
    head.set_weights([0 * head.get_weights()[0], np.full(1, bias, np.float32)])
    return CheckedNetwork(stage, seed=0)


def test_a_blind_guess_of_two_classes_costs_ln_2(stage_of: Any) -> None:
    found = check_first_loss(checked(stage_of))
    assert found.status == FINE
    assert found.details[0] == {"loss": pytest.approx(math.log(2)), "expected": pytest.approx(math.log(2))}


def test_first_answers_that_are_too_sure_fail(stage_of: Any) -> None:
    found = check_first_loss(checked(stage_of, bias=40.0))
    assert found.status == FAILED
    assert "too sure of themselves" in found.text


@pytest.mark.parametrize(("loss", "status"), [(1.4, FINE), (1.845, LOOK), (9.0, LOOK)])
def test_classes_may_cost_half_a_nat_more_than_a_guess(stage_of: Any, loss: float, status: str) -> None:
    stage = stage_of("model=linear", "dataset.problem=multiclass", "task=multiclass")
    head = stage.network.get_layer("head")
    classes = head.get_weights()[1].size
    assert classes == 3
    share = np.mean(CheckedNetwork(stage, seed=0).truth.values == 0)
    low, high = 0.0, 60.0
    for _ in range(60):  # the logit of the first class that gives this loss
        logit = (low + high) / 2
        given = np.log(np.exp(logit) + classes - 1) - share * logit
        low, high = (logit, high) if given < loss else (low, logit)
    head.set_weights([0 * head.get_weights()[0], np.array([logit, 0, 0], np.float32)])
    found = check_first_loss(CheckedNetwork(stage, seed=0))
    assert found.details[0]["loss"] == pytest.approx(loss, rel=1e-3)
    assert found.status == status


def test_eight_rows_are_learned_unless_nothing_moves(stage_of: Any) -> None:
    network = checked(stage_of, "optimizer.learning_rate=0.1")
    before = network.network.get_weights()
    assert check_one_batch(network).status == FINE
    for now, then in zip(network.network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    still = check_one_batch(checked(stage_of, "optimizer.learning_rate=1e-12"))
    assert (still.status, still.tries) == (FAILED, ("optimizer.learning_rate=1e-11",))


def test_outputs_that_explode_are_named(stage_of: Any) -> None:
    stage = stage_of("model.units=[4]", "dataset.problem=binary")
    assert check_flow(CheckedNetwork(stage, seed=0)).status != FAILED
    hidden = next(layer for layer in stage.network.layers if layer.weights and layer.name != "head")
    hidden.set_weights([1e4 * weight for weight in hidden.get_weights()])
    found = check_flow(CheckedNetwork(stage, seed=0))
    assert found.status == FAILED
    assert found.text.startswith(f"Exploding: the outputs of {hidden.name} ")


def test_answers_in_a_large_unit_are_no_explosion(stage_of: Any, tmp_path: Path) -> None:
    rows = [f"{size * size % 61},{250_000 * (size % 7)}" for size in range(60)]
    (tmp_path / "houses.csv").write_text("\n".join(["size,price", *rows]))
    words = ("dataset=csv", f"dataset.path={tmp_path / 'houses.csv'}", "dataset.target=price", "task=regression")
    found = check_flow(CheckedNetwork(stage_of(*words, "model=mlp", "model.units=[4]"), seed=0))
    assert found.status != FAILED
    assert max(layer["sd"] for layer in found.details) > 1e5


def test_a_linear_path_may_know_the_answers_at_once_and_something_reaches_every_layer(
    stage_of: Any, tmp_path: Path
) -> None:
    (tmp_path / "sums.csv").write_text(
        "\n".join(["a,b,sum", *(f"{n % 11},{n % 7},{n % 11 + n % 7}.5" for n in range(90))])
    )
    words = ("dataset=csv", f"dataset.path={tmp_path / 'sums.csv'}", "dataset.target=sum", "task=regression")
    network = CheckedNetwork(stage_of(*words, "model=tabular", "model.units=[4]", "model.ensemble=2"), seed=0)
    first = check_first_loss(network)
    assert first.details[0]["loss"] < first.details[0]["expected"] / 10
    assert (first.status, first.text[-42:]) == (FINE, "The linear path has fitted the train rows.")
    assert check_flow(network).status != FAILED
