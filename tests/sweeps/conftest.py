from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from dltrain.config.fingerprint import fingerprint
from dltrain.sweeps.ledger import Entry


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def entry(job: int, *words: str, value: float | None = 0.5, **more: object) -> Entry:
    base: dict[str, object] = {"status": "completed", "monitor": "val_loss", "value": value, "overrides": list(words)}
    return Entry(job=str(job), **{**base, **more})  # type: ignore[arg-type]


def leave_a_run(config: DictConfig, **metrics: Any) -> float:
    """What a real run leaves behind, as far as a sweep looks at it."""
    path = Path(HydraConfig.get().runtime.output_dir)
    value = metrics.pop("best_value", float(config.optimizer.learning_rate))
    facts = {"status": "completed", "config_sha256": fingerprint(config), "trainable_parameters": 10}
    facts["seconds"] = metrics.pop("seconds", 0.5)
    (path / "run.json").write_text(json.dumps(facts))
    content = {"best_value": value, "monitor": "val_loss", "epochs": 3, "best_epoch": 2, "validation": {"loss": value}}
    (path / "metrics.json").write_text(json.dumps(content | metrics))
    (path / "model.keras").write_text("model")
    (path / "checkpoints").mkdir()
    return value


@pytest.fixture
def fake_run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[DictConfig], Any]], list[str]]:
    """Puts a function in the place of `dltrain.experiment.run.run_job`; the list fills with the jobs that ran."""

    def replace(job: Callable[[DictConfig], Any]) -> list[str]:
        ran: list[str] = []

        def run_job(config: DictConfig, after_run: Any, shows: bool = True) -> Any:
            ran.append(Path(HydraConfig.get().runtime.output_dir).name)
            return job(config)

        module = types.ModuleType("dltrain.experiment.run")
        module.run_job = run_job  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "dltrain.experiment.run", module)
        return ran

    return replace
