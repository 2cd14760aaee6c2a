from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from dltrain.base.errors import ConfigError
from dltrain.inference.overlap import run_dataset, train_hashes


def load_what_is_gone(name: str) -> Any:
    return Path(f"{name}.txt").read_text(encoding="utf-8")


def load_what_is_odd(name: str) -> Any:
    raise ValueError(f"{name} has no columns")


def record_of(target: str) -> Any:
    return SimpleNamespace(
        config=OmegaConf.create({"dataset": {"_target_": f"{__name__}.{target}", "name": "nowhere"}})
    )


@pytest.mark.parametrize(
    ("target", "reason"), [("load_what_is_gone", "No such file"), ("load_what_is_odd", "nowhere has no columns")]
)
def test_own_loader_that_fails_tells_why_nothing_is_known(target: str, reason: str) -> None:
    hashes, why = train_hashes(record_of(target))
    assert hashes is None
    assert reason in why


def test_own_loader_shows_its_fault_where_its_rows_are_asked_for() -> None:
    with pytest.raises(ValueError, match="has no columns") as caught:
        run_dataset(record_of("load_what_is_odd"))
    assert not isinstance(caught.value, ConfigError)
