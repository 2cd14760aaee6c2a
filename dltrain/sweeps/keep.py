"""Deletes the models of jobs of a sweep that need not be kept; the metrics of all stay."""

from __future__ import annotations

import itertools
import shutil

from omegaconf import DictConfig

from dltrain.config.search_objectives import by_objectives
from dltrain.sweeps.ledger import Ledger
from dltrain.sweeps.ranking import best_first

BEST = 5  # jobs that keep their models with keep=best


def remove_models(ledger: Ledger, config: DictConfig) -> None:
    """Deletes the checkpoints and models of jobs that `keep` (best, all or none) does not keep."""
    if config.keep == "all":
        return
    entries = ledger.entries()
    best = best_first(entries, by_objectives(config))[:BEST] if config.keep == "best" else []
    kept = {entry.job for entry in best}
    jobs = [ledger.sweep / entry.job for entry in entries if entry.job not in kept]
    for job, part in itertools.product(jobs, (".", "*/*")):  # the run itself, and its folds or seeds
        for folder in job.glob(f"{part}/checkpoints"):
            shutil.rmtree(folder, ignore_errors=True)
        for file in job.glob(f"{part}/model.keras"):
            file.unlink(missing_ok=True)
