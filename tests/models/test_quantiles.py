from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from dltrain.data.targets import Target
from dltrain.models.parts import Head
from dltrain.models.quantiles import Coverage, Pinball, PinballLoss, ascending
from dltrain.scoring.baselines import baselines

QUANTILES = (0.5, 0.05, 0.25, 0.9)
ORDER = [1, 2, 0, 3]  # the places of the ascending quantiles


@settings(max_examples=50, deadline=None)
@given(scores=st.lists(st.lists(st.floats(-1e4, 1e4, width=32), min_size=4, max_size=4), min_size=1, max_size=5))
def test_no_quantile_is_above_a_higher_one(scores: list[list[float]]) -> None:
    made = np.asarray(ascending(keras.ops.convert_to_tensor(scores, "float32"), QUANTILES))
    assert (np.diff(made[:, ORDER], axis=1) >= 0).all()
    np.testing.assert_array_equal(made[:, 0], np.array(scores, np.float32)[:, 0])


def test_head_predicts_in_the_unit_of_the_target(tmp_path: Path) -> None:
    inputs = keras.Input((3,))
    head = Head("quantile_regression", 4, None, 100.0, 10.0, QUANTILES)
    model = keras.Model(inputs, head(inputs))
    rows = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    found = np.asarray(model(rows))
    assert (np.diff(found[:, ORDER], axis=1) > 0).all()
    assert 60 < found[:, 0].mean() < 140
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again(rows), found)


def test_losses_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth, answers = random.normal(size=(30, 1)), random.normal(size=(30, 4)).astype(np.float32)
    expected = np.mean([mean_pinball_loss(truth[:, 0], answers[:, at], alpha=q) for at, q in enumerate(QUANTILES)])
    assert float(PinballLoss(QUANTILES)(truth, answers)) == pytest.approx(expected, rel=1e-5)
    metric: Any = Pinball(QUANTILES)
    metric.update_state(truth, answers)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    within = (answers.min(axis=1) <= truth[:, 0]) & (truth[:, 0] <= answers.max(axis=1))
    coverage = Coverage()
    coverage.update_state(truth, answers)
    assert float(coverage.result()) == pytest.approx(within.mean())
    for each in (metric, coverage):
        assert type(each).from_config(each.get_config()).get_config() == each.get_config()
    assert PinballLoss.from_config(PinballLoss(QUANTILES).get_config()).quantiles == list(QUANTILES)


def test_baselines_do_not_cross_and_hold_their_shares(make_dataset: Any) -> None:
    random = np.random.default_rng(0)
    numbers = random.normal(size=(400, 2))
    values = (numbers[:, 0] * 3 + random.normal(size=400)).astype(np.float32)
    dataset = make_dataset({"a": numbers[:, 0], "b": numbers[:, 1]}, target=values.astype(float))
    target = Target("quantile_regression", values, scale=float(values.std()), quantiles=QUANTILES)
    features = {"table": numbers.astype(np.float32)}
    found = baselines(dataset, features, target, {"test": (dataset, features)})
    assert list(found) == ["quantiles of train", "linear quantile regression"]
    for name, by_part in found.items():
        assert (np.diff(by_part["test"][:, ORDER], axis=1) >= 0).all(), name
        below = (values[:, None] <= by_part["train"]).mean(axis=0)
        np.testing.assert_allclose(below, QUANTILES, atol=0.03)
