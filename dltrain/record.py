"""A run directory read back. Imports nothing heavy: the verbs that only read answer at once."""

from __future__ import annotations

import csv
import functools
import json
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from dltrain.errors import ConfigError, did_you_mean


class Record:
    """What a run left in its directory; files are read when they are asked for.

    Args:
        path: the run directory, or a file in it.

    Raises:
        ConfigError: there is no run in it.
    """

    def __init__(self, path: str | Path) -> None:
        given = Path(path)
        self.path = given.parent if given.is_file() else given
        if not (self.path / "run.json").is_file():
            raise ConfigError(_no_run(self.path))

    @functools.cached_property
    def facts(self) -> dict[str, Any]:
        """The content of run.json."""
        return dict(self.json("run.json"))

    @functools.cached_property
    def config(self) -> DictConfig:
        """The resolved config.

        Raises:
            ConfigError: the run ended before it was written, or it cannot be read.
        """
        try:
            config = OmegaConf.load(self.path / "config.yaml")
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise ConfigError(f"'{self.path / 'config.yaml'}' cannot be read: {error}") from error
        if not isinstance(config, DictConfig):
            raise ConfigError(f"'{self.path / 'config.yaml'}': expected keys and values.")
        return config

    @functools.cached_property
    def metrics(self) -> dict[str, Any]:
        """The content of metrics.json; empty where the run did not complete."""
        return dict(self.json("metrics.json")) if (self.path / "metrics.json").exists() else {}

    @functools.cached_property
    def history(self) -> list[dict[str, float]]:
        """The rows of history.csv, one an epoch; empty where no epoch was finished."""
        file = self.path / "history.csv"
        if not file.exists():
            return []
        with file.open(newline="", encoding="utf-8") as lines:
            rows = csv.DictReader(lines)
            return [{name: float(cell) for name, cell in row.items() if name and cell} for row in rows]

    def json(self, name: str) -> Any:
        """A JSON file of the run.

        Raises:
            ConfigError: it is missing or damaged.
        """
        try:
            return json.loads((self.path / name).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"'{self.path / name}' cannot be read: {error}") from error


def _no_run(path: Path) -> str:
    if not path.exists():
        near = [folder.name for folder in path.parent.glob("*/") if (folder / "run.json").exists()]
        return f"The run directory '{path}' does not exist.{did_you_mean(path.name, near) if near else ''}"
    runs = sorted(str(file.parent) for pattern in ("*/run.json", "*/*/run.json") for file in path.glob(pattern))
    return f"'{path}' holds no run (no run.json).{did_you_mean(str(path), runs) if runs else ''}"
