from __future__ import annotations

import copy
import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from dltrain.compose import Composer
from dltrain.data.dataset import Dataset

# Whatever a test does not say itself: a tiny network on tiny made-up data.
SMALL = ("dataset=synthetic", "dataset.rows=60", "trainer.epochs=1", "quiet=true")
COMPOSER = Composer()


def compose_config(*overrides: str) -> DictConfig:
    """The checked config of the shipped conf/ without Hydra's own node, which Hydra is told as if its job ran."""
    given = {word.split("=")[0] for word in overrides}
    small = [word for word in SMALL if word.split("=")[0] not in given]
    if "dataset" in given and "dataset=synthetic" not in overrides:
        small = [word for word in small if not word.startswith("dataset.")]
    config = COMPOSER.compose([*small, *overrides])
    HydraConfig.instance().cfg = copy.deepcopy(config)
    with open_dict(config):
        del config["hydra"]
    return config


@dataclass(frozen=True)
class Run:
    """What a run in a folder has left: its results, and its files read back."""

    path: Path
    results: Any

    def json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text())

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.path / name).open(newline="") as file:
            return list(csv.DictReader(file))


def run_in(path: Path, *overrides: str) -> Run:
    """One experiment in a folder of its own."""
    from dltrain.journal import Journal
    from dltrain.run import run

    path.mkdir(parents=True, exist_ok=True)
    config = compose_config(*overrides)
    with Journal(config, path) as journal:
        return Run(path, run(config, journal))


class FakeJournal:
    """Collects the notes and files that a stage gives to the journal."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.splits: list[Any] = []

    def note(self, text: str) -> None:
        self.notes.append(text.strip())

    def split(self, dataset: Dataset, split: Any) -> None:
        self.splits.append((dataset, split))


@pytest.fixture
def fake_journal() -> FakeJournal:
    return FakeJournal()


def make_dataset(**given: Any) -> Dataset:
    """A dataset of the given columns: object arrays are categories, unless `kinds` says otherwise."""
    columns = {name: np.asarray(cells) for name, cells in given.pop("columns").items()}
    kinds = {
        name: "category" if cells.dtype == object else "image" if cells.dtype == np.uint8 else "numeric"
        for name, cells in columns.items()
    } | given.pop("kinds", {})
    rows = len(next(iter(columns.values())))
    target = given.pop("target", {"target": np.arange(rows) % 2.0})
    return Dataset("small", columns, kinds, target, np.arange(rows), "made up", **given)


@pytest.fixture(autouse=True)
def _no_hydra_job_is_left(monkeypatch: pytest.MonkeyPatch) -> Any:
    instance = HydraConfig.instance()
    before = instance.cfg
    yield
    instance.cfg = before


Overrides = Callable[..., DictConfig]
