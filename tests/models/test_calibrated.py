from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from dltrain.config.tasks import TASKS
from dltrain.data.targets import Target
from dltrain.models.calibrated import with_curves, with_temperature
from dltrain.scoring.calibration import applied, fit


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_layers_give_what_was_fitted_and_are_loaded_by_keras_alone(task: str, method: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    units = 1 if task == "binary" else 3
    given = random.dirichlet(np.ones(3), 300) if task == "multiclass" else random.random((300, units))
    given[:3] = np.eye(units)[:3] if units > 1 else [[0.0], [1.0], [0.5]]
    values = random.integers(0, 3, 300) if task == "multiclass" else random.random(given.shape) < given**2
    values = values[:, 0] if task == "binary" else values
    truth = Target(task, values.astype(np.float32), ("a", "b", "c")[: max(2, units)])
    found = fit(method, truth, given, 1)
    inputs = keras.Input((units,), name="x")
    model = keras.Model({"x": inputs}, keras.layers.Identity()(inputs), name="whole")
    made = (
        with_temperature(model, TASKS[task], found.temperature)
        if method == "temperature"
        else with_curves(model, TASKS[task], found.curves)
    )
    made.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    rows = {"x": given.astype(np.float32)}
    np.testing.assert_allclose(again(rows), applied(TASKS[task], found, given), atol=2e-5)
    np.testing.assert_array_equal(again(rows), made(rows))
    assert again.name == "whole"
    assert not made.trainable_weights
