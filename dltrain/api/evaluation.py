"""Scores the model of a run on rows with their target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dltrain.inference.evaluate import Evaluation, evaluate_rows

if TYPE_CHECKING:
    from dltrain.inference.model import Model


def evaluate(model: Model, data: Any = None, by: str | None = None, *, file_format: str | None = None) -> Evaluation:
    """Scores a model on a data frame, on the rows of a file, or on the run's own test part if `data` is None."""
    from dltrain.inference.overlap import run_dataset
    from dltrain.inference.rows import RawRows, frame_rows, to_arrow

    if data is None:
        dataset, parts = run_dataset(model.record)
        test = dataset.take(parts["test"])
        columns = {name: to_arrow(cells) for name, cells in {**test.columns, **test.target}.items()}
        names = [f"row {row}" for row in test.row_ids]
        blocks: Any = [RawRows(columns, 0, f"the test part of {dataset.name}", names)]
        return evaluate_rows(model, blocks, by, "the run's test part")
    if isinstance(data, str):
        return evaluate_rows(model, model.read(data, file_format), by, data)
    return evaluate_rows(model, [frame_rows(data)], by)
