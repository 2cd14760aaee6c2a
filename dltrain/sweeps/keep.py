"""Deletes the models of jobs of a sweep that need not be kept; the metrics of all stay."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

from omegaconf import DictConfig

from dltrain.config.search_objectives import by_objectives
from dltrain.sweeps.ledger import Ledger
from dltrain.sweeps.ranking import best_first

BEST = 5  # jobs that keep their models with keep=best

_without_models: set[Path] = set()  # directories of jobs in which this process has left no model


def remove_models(ledger: Ledger, config: DictConfig, ended: Path | None = None) -> None:
    """Deletes the checkpoints and models of jobs that `keep` (best, all or none) does not keep.

    `ended` is the directory of the job that has just ended. Others are looked at once in each process.
    """
    if config.keep == "all":
        return
    _without_models.discard(ended or ledger.sweep)
    entries = ledger.entries()
    best = best_first(entries, by_objectives(config))[:BEST] if config.keep == "best" else []
    kept = {entry.job for entry in best}
    jobs = {ledger.sweep / entry.job for entry in entries if entry.job not in kept} - _without_models
    for job, part in itertools.product(jobs, (".", "*/*")):  # the run itself, and its folds or seeds
        for folder in job.glob(f"{part}/checkpoints"):
            shutil.rmtree(folder, ignore_errors=True)
        for file in job.glob(f"{part}/model.keras"):
            file.unlink(missing_ok=True)
    _without_models.update(jobs)
