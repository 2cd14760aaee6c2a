"""Deletes the models of jobs of a sweep that need not be kept; the metrics of all stay."""

from __future__ import annotations

import shutil
from pathlib import Path

from omegaconf import DictConfig

from dltrain.config.search_objectives import by_objectives
from dltrain.sweep.ledger import Ledger
from dltrain.sweep.ranking import best_first

BEST = 5  # jobs that keep their models with keep=best


def remove_models(ledger: Ledger, config: DictConfig) -> None:
    """Deletes the checkpoints and models of jobs that `keep` (best, all or none) does not keep."""
    if config.keep == "all":
        return
    entries = ledger.entries()
    best = best_first(entries, by_objectives(config))[:BEST] if config.keep == "best" else []
    kept = {entry.job for entry in best}
    for entry in entries:
        if entry.job not in kept:
            _remove(ledger.sweep / entry.job)


def _remove(job: Path) -> None:
    for pattern in ("checkpoints", "*/*/checkpoints"):
        for folder in job.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)
    for pattern in ("model.keras", "*/*/model.keras"):
        for file in job.glob(pattern):
            file.unlink(missing_ok=True)
