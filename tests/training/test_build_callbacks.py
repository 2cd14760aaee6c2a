from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dltrain.base.errors import ConfigError


def test_unknown_monitor_is_refused_before_training(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    stage = stage_of("model=linear", "callbacks.early_stopping.monitor=val_acuracy")
    with pytest.raises(ConfigError, match=r"early_stopping\.monitor: no metric gives 'val_acuracy'\. Did you mean"):
        train_stage(stage, tmp_path)


def test_target_that_is_no_callback_is_refused(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    stage = stage_of("model=linear", "+callbacks.odd._target_=keras.losses.MeanSquaredError")
    with pytest.raises(ConfigError, match=r"callbacks\.odd: keras\.losses\.MeanSquaredError is not a Keras callback"):
        train_stage(stage, tmp_path)
