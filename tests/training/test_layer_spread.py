from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.training.layer_spread import spread


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
    kernels = found["kernels"]
    assert len(kernels["before"][0]) == len(kernels["after"][0]) == 4
    assert not any(map(any, kernels["before"]))
