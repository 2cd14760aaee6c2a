"""The precision of the layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.base.errors import ConfigError

MIXED = "trainer.precision=mixed_bfloat16"


def test_mixed_precision_keeps_weights_and_answer_in_32_bits(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    stage = stage_of(MIXED, "model.units=[4]")
    hidden, head = stage.network.get_layer("dense"), stage.network.get_layer("head")
    assert (hidden.compute_dtype, hidden.kernel.dtype) == ("bfloat16", "float32")
    assert (head.compute_dtype, stage.network.output.dtype) == ("float32", "float32")
    assert keras.config.dtype_policy().name == "float32"
    assert np.isfinite(list(train_stage(stage, tmp_path).history[0].values())).all()


def test_other_precision_is_refused(compose_config: Any) -> None:
    with pytest.raises(ConfigError, match=r"trainer\.precision: .*'mixed_float16'"):
        compose_config("trainer.precision=mixed_float16")
