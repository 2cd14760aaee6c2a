"""Makes the insights of a finished run, for which it loads the data and the model again."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.config.seed import Seed
from dltrain.data.dataset import Dataset
from dltrain.data.targets import encode
from dltrain.data.task_row import task_row
from dltrain.inference.model import Model
from dltrain.inference.overlap import run_dataset
from dltrain.preprocessing.fit import raw_blocks
from dltrain.record.record import Record
from dltrain.record.run_directory import RunDirectory
from dltrain.report import INSIGHTS, WHAT_IF
from dltrain.report.insights import insights
from dltrain.report.what_if import what_if

logger = logging.getLogger("dltrain")


def write_insights(record: Record) -> None:
    """Writes insights.json of a finished run, without the layers, and what_if.json; without the data it only warns."""
    try:
        dataset, parts = run_dataset(record)
        model = Model(record.path)
    except Exception as error:  # a person's own loader may raise anything
        logger.warning("The report is without importance and mistakes: %s", error)
        return
    target = encode(dataset, model.signature.task, model.signature.quantiles)
    if target.kind.unbounded:
        scaled = model.signature
        target = dataclasses.replace(target, offset=scaled.offset, scale=scaled.scale, knots=scaled.knots)

    def answer(rows: Dataset) -> npt.NDArray[np.float32]:
        inputs = raw_blocks(rows, np.arange(len(rows)), model.rows_at_once)
        blocks = ({name: tf.constant(cells) for name, cells in raw.items()} for raw in inputs)
        return np.concatenate([model.answer(block) for block in blocks])

    rows = parts["validation"]
    task = task_row(record.config.task, model.signature.task)
    found = insights(dataset.take(rows), target.take(rows), answer, task, Seed.of(record.config).stream("insights"))
    RunDirectory(record.path).write_json(INSIGHTS, found)
    panel = what_if(model, dataset.take(rows), "validation")
    if panel is not None:
        RunDirectory(record.path).write_json(WHAT_IF, panel)
