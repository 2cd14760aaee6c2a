from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import DictConfig

from dltrain.sweeps.keep import BEST, remove_models
from dltrain.sweeps.ledger import Ledger

from .conftest import entry


def sweep_of(path: Path, jobs: int) -> Ledger:
    """Every job has a model of its own and one of a fold; the later a job, the better."""
    ledger = Ledger(path)
    for job in range(jobs):
        for folder in (path / str(job), path / str(job) / "cv" / "fold_1"):
            (folder / "checkpoints").mkdir(parents=True)
            (folder / "model.keras").write_text("model")
            (folder / "metrics.json").write_text("{}")
        ledger.append(entry(job, value=1 / (job + 1)))
    return ledger


@pytest.mark.parametrize(("keep", "kept"), [("all", BEST + 2), ("best", BEST), ("none", 0)])
def test_models_of_the_best_jobs_and_of_their_folds_stay(tmp_path: Path, keep: str, kept: int) -> None:
    jobs = BEST + 2
    remove_models(sweep_of(tmp_path, jobs), DictConfig({"keep": keep, "search": None}))
    expected = {str(job) for job in range(jobs - kept, jobs)}
    for name in ("model.keras", "checkpoints"):
        assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob(name)} == expected
        assert len(list(tmp_path.rglob(name))) == 2 * kept
    assert len(list(tmp_path.rglob("metrics.json"))) == 2 * jobs


def test_a_job_without_a_line_keeps_its_model(tmp_path: Path) -> None:
    ledger = sweep_of(tmp_path, 1)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "model.keras").write_text("of a job that runs")
    remove_models(ledger, DictConfig({"keep": "none", "search": None}))
    assert [path.parent.name for path in tmp_path.rglob("model.keras")] == ["1"]
