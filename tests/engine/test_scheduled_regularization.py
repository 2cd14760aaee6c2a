from __future__ import annotations

import keras
import numpy as np
import pytest

from dltrain.engine.scheduled_regularization import Scheduled, follow, scheduled


@pytest.mark.parametrize(("weight_decay", "left"), [(True, 0.75), (False, 0.5)])
def test_a_variable_multiplies_the_weight_decay_only_if_it_is_scheduled(weight_decay: bool, left: float) -> None:
    share = keras.Variable(0.5)
    optimizer = keras.optimizers.SGD(1.0, weight_decay=0.5)
    found = Scheduled(share, dropout=True, weight_decay=weight_decay)
    follow(optimizer, found)
    assert scheduled(optimizer) is found
    weight = keras.Variable(np.ones(2, np.float32))
    optimizer.build([weight])
    optimizer.apply([keras.ops.zeros(2)])
    np.testing.assert_allclose(weight.numpy(), left)
    assert optimizer.get_config()["weight_decay"] == 0.5


def test_without_a_schedule_nothing_is_recorded() -> None:
    assert scheduled(keras.optimizers.SGD()) is None
