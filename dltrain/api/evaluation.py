"""Scores the model of a run on rows with their target."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dltrain.inference.evaluate import Evaluation, evaluate_rows

if TYPE_CHECKING:
    from dltrain.inference.model import Model


def evaluate(model: Model, data: Any = None, by: str | None = None, *, file_format: str | None = None) -> Evaluation:
    """Scores a model on a data frame, on the rows of a file, or on the run's own test part if `data` is None."""
    from dltrain.inference.overlap import run_dataset
    from dltrain.inference.rows import frame_rows, value_rows

    if data is None:
        dataset, parts = run_dataset(model.record)
        test = dataset.take(parts["test"])
        weights = {} if test.weights is None else {str(model.signature.weight): test.weights}
        named = {**test.columns, **test.target, **weights}.items()
        rows = value_rows(named, model.missing, f"the test part of {dataset.name}")
        names = [f"row {row}" for row in test.row_ids]
        return evaluate_rows(model, [replace(rows, names=names)], by, "the run's test part")
    if isinstance(data, str):
        return evaluate_rows(model, model.read(data, file_format, with_target=True), by, data)
    return evaluate_rows(model, [frame_rows(data, model.missing)], by)
