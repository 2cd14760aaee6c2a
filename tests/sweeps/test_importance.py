from __future__ import annotations

import pytest

from dltrain.sweeps.importance import importance

from .conftest import entry


def test_importance_finds_the_key_that_matters() -> None:
    jobs = [
        entry(place, f"optimizer.learning_rate={rate}", f"model.activation={kind}", value=rate * 10 + 0.01 * odd)
        for place, (rate, odd, kind) in enumerate(
            (rate, odd, kind) for rate in (0.1, 0.2, 0.3, 0.4) for odd, kind in enumerate(("relu", "selu", "tanh"))
        )
    ]
    shares = importance(jobs, "min")
    assert next(iter(shares)) == "optimizer.learning_rate"
    assert shares["optimizer.learning_rate"] > 0.9
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert importance(jobs[:9], "min") == {}
