from __future__ import annotations

import functools
from typing import Any

import keras
import pytest

from dltrain.base.outcome import LOOK
from dltrain.checkup import checkup


def test_bug_of_an_own_layer_is_no_matter_of_precision() -> None:
    def build() -> Any:
        raise TypeError("a bug of this file")

    with pytest.raises(TypeError, match="a bug of this file"):
        checkup.gradient_check(build, seed=0)


def test_layer_of_keras_that_refuses_double_precision_is_told() -> None:
    outcome = checkup.gradient_check(functools.partial(keras.layers.Dense, units=-1), seed=0)
    assert outcome.status == LOOK
    assert "cannot work in double precision" in outcome.text
    assert keras.config.floatx() == "float32"
