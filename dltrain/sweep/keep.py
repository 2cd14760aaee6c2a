"""Disk hygiene: which jobs of a sweep keep their models; the metrics of all stay."""

from __future__ import annotations

import shutil
from pathlib import Path

from omegaconf import DictConfig

from dltrain.config.search_objectives import by_objectives
from dltrain.sweep.ledger import Ledger
from dltrain.sweep.ranking import best_first

BEST = 5  # jobs that keep their models with keep=best


def remove_models(ledger: Ledger, config: DictConfig) -> None:
    """Deletes checkpoints and models of the jobs that shall not keep them.

    Args:
        ledger: of the sweep.
        config: of a job; its `keep` is best (the five best jobs keep theirs), all or none.
    """
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
