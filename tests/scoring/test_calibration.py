from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax

from dltrain.config.tasks import TASKS
from dltrain.data.targets import Target
from dltrain.scoring.calibration import applied, calibration_error, fit, log_losses

ROWS = 4_000
RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(ROWS, 3)) * 2


def truths(task: str) -> Target:
    if task == "multiclass":
        chosen = [RANDOM.choice(3, p=row) for row in softmax(LOGITS, axis=1)]
        return Target(task, np.array(chosen, np.int32), ("a", "b", "c"))
    drawn = (RANDOM.random(LOGITS.shape) < expit(LOGITS)).astype(np.float32)
    return Target(task, drawn, ("a", "b", "c")) if task == "multilabel" else Target(task, drawn[:, 0], ("a", "b"))


def answers_of(task: str, sure: float) -> Any:
    """Probabilities whose logits are so many times too large."""
    if task == "multiclass":
        return softmax(LOGITS * sure, axis=1)
    return expit(LOGITS * sure)[:, : 3 if task == "multilabel" else 1]


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_calibration_finds_by_how_much_a_network_is_too_sure(task: str) -> None:
    truth, given_ = truths(task), answers_of(task, 3.0)
    found = fit("temperature", truth, given_, 1)
    assert found.temperature == pytest.approx(3.0, rel=0.1)
    for method in ("temperature", "isotonic"):
        better = applied(TASKS[task], fit(method, truth, given_, 1), given_)
        assert calibration_error(truth, better) < 0.5 * calibration_error(truth, given_)
        assert log_losses(truth, better).mean() < log_losses(truth, given_).mean()
    assert fit("auto", truth, given_, 1).method == "temperature"
    assert fit("auto", truth, answers_of(task, 1.0), 1).method == "none"


def test_auto_takes_a_curve_where_a_temperature_does_not_help() -> None:
    truth = truths("binary")
    shifted = expit(LOGITS[:, :1] + 2)
    assert fit("auto", truth, shifted, 1).method == "isotonic"


@given(seed=st.integers(0, 2**32 - 1), weighted=st.booleans())
def test_order_of_probabilities_stays_and_none_is_certain(seed: int, weighted: bool) -> None:
    random = np.random.default_rng(seed)
    values, given_ = random.integers(0, 2, 50).astype(np.float32), random.random((50, 1)).round(2)
    truth = Target("binary", values, ("a", "b"), weights=random.random(50) + 0.1 if weighted else None)
    order = np.argsort(given_[:, 0])
    for method in ("temperature", "isotonic"):
        made = applied(TASKS["binary"], fit(method, truth, given_, 1), given_)
        assert (np.diff(made[order, 0]) >= -1e-12).all()
        assert ((made > 0) & (made < 1)).all()
