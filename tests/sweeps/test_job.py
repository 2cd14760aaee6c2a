from __future__ import annotations

import os

import pytest
from omegaconf import DictConfig

from dltrain.sweeps.job import SCHEDULED, is_ray, workers_at_once


def launcher(name: str, **settings: object) -> DictConfig:
    return DictConfig({"_target_": f"hydra_plugins.some.{name}", **settings})


@pytest.mark.parametrize(
    ("given", "workers"),
    [
        (launcher("BasicLauncher"), 1),
        (launcher("JoblibLauncher", n_jobs=3), 3),
        (launcher("JoblibLauncher", n_jobs=-1), 6),
        (launcher("JoblibLauncher", n_jobs=-2), 5),
        (launcher("JoblibLauncher", n_jobs=-9), 1),
        (launcher("LocalLauncher"), 6),
        (launcher("RayLauncher", cpus=2, address="local"), 3),
        (launcher("RayLauncher", cpus=8, address="local"), 1),
        (launcher("RayLauncher", cpus=2, address="auto"), SCHEDULED),
        (launcher("SlurmLauncher", array_parallelism=256), SCHEDULED),
    ],
)
def test_jobs_at_once_follow_from_launcher_and_cores(
    given: DictConfig, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert workers_at_once(given) == workers


def test_only_one_launcher_is_rays() -> None:
    assert is_ray(launcher("RayLauncher", cpus=1))
    assert not is_ray(launcher("JoblibLauncher", n_jobs=1))
    assert not is_ray(DictConfig({}))
