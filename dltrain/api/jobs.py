"""Defines what Hydra calls for each composed config: an experiment with its report."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from dltrain.base.import_beside import import_beside
from dltrain.base.plain_table import say
from dltrain.base.show import show

if TYPE_CHECKING:
    from dltrain.api.choose_model import Settled
    from dltrain.experiment.early import EarlyDataset


def run_job(config: DictConfig, *, shows: bool = True, settled: Settled | None = None) -> float:
    """Runs one experiment in Hydra's output directory and writes its report; `shows` is that of the journal.

    `settled` tells how its model was chosen. Returns the best value of the monitored metric.
    """
    alone = HydraConfig.get().mode == RunMode.RUN
    early = load_tensorflow(config, reads=alone, shows=shows, settled=settled)
    from dltrain.experiment.run import run_job as run
    from dltrain.report.after_run import report_run

    if config.report is True or (alone and config.report is not False):
        import_beside("dltrain.report.report")  # TensorFlow trains without Python
    return run(config, report_run, shows=shows, **({"early": early} if early else {}))


def load_tensorflow(
    config: DictConfig, *, reads: bool, shows: bool, settled: Settled | None = None
) -> EarlyDataset | None:
    """Loads TensorFlow for a run; if `reads`, and TensorFlow is not loaded yet, the dataset is read and shown before.

    So it is if `settled` tells how its model was chosen, which may have read it already. Returns that dataset, or None
    if the run must read it itself.

    Raises:
        DltrainError: If the dataset cannot be read.
    """
    from dltrain.internals import tensorflow_quietly

    early = None
    chosen = settled is not None and bool(settled.sentence)
    if reads and (chosen or not tensorflow_quietly.is_loaded()):
        # Both need pandas and scikit-learn, and only one takes seconds.
        with tensorflow_quietly.importing():
            from dltrain.experiment.early import read_early

            early = (
                read_early(config, shows=shows, read=settled.read, sentence=settled.sentence)
                if settled is not None
                else read_early(config, shows=shows)
            )
    tensorflow_quietly.load(config)
    return early


def show_beginning(choices: Mapping[str, Any], overrides: Sequence[str], directory: Path) -> None:
    """Shows what was composed and where it goes, while TensorFlow is not loaded yet."""
    words = {group: f"{group}={choices[group]}" for group in ("dataset", "model", "optimizer") if group in choices}
    words |= {word.partition("=")[0]: word for word in overrides if not word.startswith("hydra.run.dir=")}
    say(f"experiment {' '.join(words.values())}", indent=len("experiment "))
    show(f"directory  {directory.resolve()}", flush=True)


def run_sweep_job(config: DictConfig, *, shows: bool = True) -> float | None:
    """Runs one job of a sweep, in this process or in a worker; if it fails, the other jobs continue."""
    from dltrain.sweeps.job import run_sweep_job as run

    return run(config, functools.partial(run_job, shows=shows))


def keeping(
    errors: list[Exception], *, shows: bool = True, settled: Settled | None = None
) -> Callable[[DictConfig], Any]:
    """Returns a job that runs one experiment, and appends its error to `errors` if it fails."""

    def job(config: DictConfig) -> Any:
        try:
            return run_job(config, shows=shows, settled=settled)
        except Exception as error:
            errors.append(error)
        return None

    return job


def report_sweep(sweep: Path) -> None:
    """Writes the report of a sweep, or of its ensemble."""
    # Drawing needs half a second of imports.
    if (sweep / "run.json").exists():
        from dltrain.report.report import write_report

        write_report(sweep)
    else:
        from dltrain.report.sweep import write_sweep_report

        write_sweep_report(sweep)
