"""Stands in a config for the model that the data decide; conf/model/auto.yaml explains it."""

from __future__ import annotations

from typing import Any

from dltrain.base.errors import ConfigError


def auto(*_: Any, **options: Any) -> Any:
    """Raises ConfigError: a command chooses the model once it has read the data, before anything is built."""
    raise ConfigError("model=auto: the model is chosen where a command reads the data. Name one, such as model=mlp.")
