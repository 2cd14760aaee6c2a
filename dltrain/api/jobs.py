"""Defines what Hydra calls for each composed config: an experiment with its report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from dltrain.base.errors import DltrainError
from dltrain.base.tell import tell, tell_unexpected


def run_job(config: DictConfig) -> float:
    """Runs one experiment in Hydra's output directory and writes its report.

    Returns the best value of the monitored metric.
    """
    from dltrain.internals import tensorflow_quietly

    tensorflow_quietly.load(config)
    from dltrain.experiment.run import run_job as run
    from dltrain.report.after_run import report_run

    return run(config, report_run)


def run_sweep_job(config: DictConfig) -> float | None:
    """Runs one job of a sweep, in this process or in a worker; if it fails, the other jobs continue."""
    from dltrain.sweeps.job import run_sweep_job as run

    return run(config, run_job)


def reporting(codes: list[int]) -> Callable[[DictConfig], Any]:
    """Returns a job that runs one experiment; if it fails, it prints why and appends its exit code to `codes`."""

    def job(config: DictConfig) -> Any:
        try:
            return run_job(config)
        except DltrainError as error:
            codes.append(error.exit_code)
            tell(error)
        except Exception as error:
            codes.append(1)
            tell_unexpected(error)
        return None

    return job


def report_sweep(sweep: Path) -> None:
    """Writes the report of a sweep."""
    from dltrain.report.sweep import write_sweep_report  # drawing needs half a second of imports

    write_sweep_report(sweep)
