from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.data.targets import Target
from dltrain.data.task_row import task_row
from dltrain.report.insights import MISTAKES, insights

ROWS = 60


def found_on(make_dataset: Any, compose_config: Any, *names: str) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    columns = {name: random.normal(size=ROWS) for name in names}
    truth = (columns[names[0]] > 0).astype(np.float32)
    dataset = make_dataset(columns, truth)
    task = task_row(compose_config().task, "binary")

    def answer(rows: Any) -> Any:
        return (1 / (1 + np.exp(-3 * rows.columns[names[0]])))[:, None].astype(np.float32)

    return insights(dataset, Target("binary", truth, ("no", "yes")), answer, task, 0), columns[names[0]]


def test_only_the_column_that_the_answer_depends_on_matters(make_dataset: Any, compose_config: Any) -> None:
    found, _ = found_on(make_dataset, compose_config, "used", "other")
    first, second = found["importance"]["columns"]
    assert (first["column"], second["column"]) == ("used", "other")
    assert first["mean"] > found["importance"]["loss"]
    assert second["mean"] == pytest.approx(0, abs=1e-6)


def test_the_worst_mistakes_are_those_nearest_to_the_border(make_dataset: Any, compose_config: Any) -> None:
    found, values = found_on(make_dataset, compose_config, "used", "other")
    worst = np.argsort(np.abs(values))[:MISTAKES]
    assert [each["row_id"] for each in found["mistakes"]] == [str(row) for row in worst]
    losses = [each["loss"] for each in found["mistakes"]]
    assert losses == sorted(losses, reverse=True)


def test_a_single_column_has_no_importance(make_dataset: Any, compose_config: Any) -> None:
    found, _ = found_on(make_dataset, compose_config, "used")
    assert "one column alone, used" in found["importance"]["left_out"]
