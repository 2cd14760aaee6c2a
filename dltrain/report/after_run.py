"""Writes the report at the end of a run."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from dltrain.config.seed import Seed
from dltrain.report import INSIGHTS, WHAT_IF

if TYPE_CHECKING:
    from dltrain.experiment.experiment import Experiment
    from dltrain.experiment.journal import Journal

logger = logging.getLogger("dltrain")


def report_run(experiment: Experiment, journal: Journal) -> None:
    """Writes insights.json, what_if.json, plots/ and report.html; if that fails, the run is still complete.

    `report` is true, false, or auto, which writes none for a job of a sweep, nor without a validation part.
    """
    config = journal.config
    without_validation = config.cv is None and not len(experiment.data.split.validation)
    if config.report is False or (config.report == "auto" and (journal.in_sweep or without_validation)):
        return
    began = time.perf_counter()
    # Imported here, since drawing needs half a second of imports.
    from dltrain.inference.model import Model
    from dltrain.report.insights import insights_of_run
    from dltrain.report.report import write_report
    from dltrain.report.what_if import what_if

    try:
        if config.cv is None and not without_validation:  # insights need rows that did not train
            seed = Seed.of(config).stream("insights")
            insights = insights_of_run(experiment.data, experiment.network, experiment.task, seed)
            journal.directory.write_json(INSIGHTS, insights)
        part = "validation" if len(experiment.data.split.validation) else "train"
        panel = what_if(Model(journal.path), experiment.data.raw(part), part)
        if panel is not None:
            journal.directory.write_json(WHAT_IF, panel)
        file = write_report(journal.path)
    except Exception as error:
        logger.debug("The report failed", exc_info=error)
        journal.warn(f"The report could not be written: {error or type(error).__name__} (dltrain.log has more).")
        journal.directory.record()
        return
    logger.info("report  %s (%.1f s)", file, time.perf_counter() - began)
