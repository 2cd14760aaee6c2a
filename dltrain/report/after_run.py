"""The last step of a run: its report."""

from __future__ import annotations

import logging
import time

import keras
from omegaconf import DictConfig

from dltrain.experiment.journal import Journal
from dltrain.preprocessing.prepared import Prepared
from dltrain.report import INSIGHTS

logger = logging.getLogger("dltrain")


def report_run(data: Prepared, network: keras.Model, *, task: DictConfig, wanted: bool | str, journal: Journal) -> None:
    """Writes insights.json, plots/ and report.html; the run is complete, whatever becomes of them.

    Args:
        data: the parts.
        network: compiled, with the weights that were kept.
        task: the row of the head table.
        wanted: true, false, or auto: not for a job of a sweep.
        journal: of the run, finished.
    """
    if wanted is False or (wanted == "auto" and journal.in_sweep):
        return
    began = time.perf_counter()
    # Only here: drawing needs half a second of imports.
    from dltrain.report.insights import insights_of_run
    from dltrain.report.report import write_report

    try:
        if journal.config.cv is None:  # they need rows that did not train
            journal.directory.write_json(INSIGHTS, insights_of_run(data, network, task, journal.config.seed))
        file = write_report(journal.path)
    except Exception as error:
        logger.debug("The report failed", exc_info=error)
        journal.warn(f"The report could not be written: {error or type(error).__name__} (dltrain.log has more).")
        journal.directory.record()
        return
    logger.info("report  %s (%.1f s)", file, time.perf_counter() - began)
