from __future__ import annotations

from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from dltrain.config.normalization_rules import faults


def config(layer: str | None, model: dict[str, Any], batch_size: int = 32, **arguments: Any) -> DictConfig:
    node = None if layer is None else {"_target_": f"keras.layers.{layer}", **arguments}
    return OmegaConf.create({"normalization": node, "model": model, "trainer": {"batch_size": batch_size}})


MLP = {"_target_": "dltrain.models.mlp", "units": [12, 8]}
CNN = {"_target_": "dltrain.models.cnn", "filters": [12, 12], "units": [8]}
OWN = {"_target_": "my.models.Network", "units": "many"}


@pytest.mark.parametrize(
    "composed",
    [
        config(None, MLP, batch_size=1),
        config("BatchNormalization", MLP, batch_size=2),
        config("LayerNormalization", MLP, batch_size=1),
        config("GroupNormalization", MLP, groups=4),
        config("GroupNormalization", CNN, groups=-1),
        config("GroupNormalization", OWN, groups=5),
    ],
)
def test_what_fits_is_no_fault(composed: DictConfig) -> None:
    assert list(faults(composed)) == []


def test_a_batch_of_one_row_has_no_spread() -> None:
    (found,) = faults(config("BatchNormalization", MLP, batch_size=1))
    assert found.startswith("trainer.batch_size:")


def test_instance_normalization_of_a_table_would_give_zeros() -> None:
    (found,) = faults(config("GroupNormalization", MLP, groups=-1))
    assert found.startswith("normalization=instance needs images")


@pytest.mark.parametrize("model", [MLP, CNN])
def test_each_width_that_groups_do_not_divide_is_told_once(model: dict[str, Any]) -> None:
    (found,) = faults(config("GroupNormalization", model, groups=8))
    assert found.startswith("normalization.groups: 8 does not divide the 12 ")
    assert len(list(faults(config("GroupNormalization", model, groups=5)))) == 2
