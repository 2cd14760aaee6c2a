from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dltrain.data.target_scaling import bent, knots_of, unbent
from dltrain.models.losses import InUnits
from dltrain.models.target_units import in_target_units

VALUES = np.exp(np.random.default_rng(0).normal(8, 2, 500))


def test_values_next_to_each_other_do_not_spoil_the_others() -> None:
    near = np.float32(0.01)
    values = np.array([0, near, np.nextafter(near, np.float32(1)), 1, 2, 79638] * 9, np.float64)
    knots = knots_of(values, "quantile")
    given = keras.Input((1,))
    scaled = np.array([each for _, each in knots])
    answers = np.asarray(keras.Model(given, in_target_units(given, knots))(scaled[:, None].astype(np.float32)))
    assert np.allclose(answers[:, 0], [each for each, _ in knots], rtol=1e-5, atol=1e-5 * np.ptp(values))
    loss = InUnits(keras.losses.MeanAbsoluteError(), 0.0, 1.0, knots)
    truth = np.float32([each for each, _ in knots])[:, None]
    assert float(loss(truth, np.full_like(truth, 2))) == pytest.approx(np.abs(scaled - scaled[-2]).mean(), rel=1e-5)


@pytest.mark.parametrize("units", [1, 3])
@pytest.mark.parametrize("bend", ["log", "quantile"])
def test_layers_of_keras_scale_back_and_the_loss_scales(units: int, bend: str) -> None:
    knots = knots_of(VALUES, bend)
    given = keras.Input((units,))
    model = keras.Model(given, in_target_units(given, knots))
    assert not model.trainable_weights
    scaled = np.random.default_rng(1).normal(size=(64, units))
    expected = bent(scaled, unbent(knots))
    answers = keras.Model.from_config(model.get_config())
    answers.set_weights(model.get_weights())
    found = np.asarray(answers(scaled.astype(np.float32)))
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-5 * VALUES.std())
    loss: Any = InUnits(keras.losses.MeanAbsoluteError(), 0.0, 1.0, knots)
    truth = np.full((64, units), np.median(VALUES))
    by_hand = np.abs(bent(truth, knots) - scaled).mean()
    for each in (loss, InUnits.from_config(loss.get_config())):
        assert float(each(truth, expected)) == pytest.approx(by_hand, rel=1e-3)
