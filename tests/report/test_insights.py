from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.data.targets import Target
from dltrain.data.task_row import task_row
from dltrain.report.insights import MISTAKES, MOST_SECONDS, NEAR, NEAR_MISSES, affordable_rows, insights, lead

ROWS = 60


def found_on(make_dataset: Any, compose_config: Any, *names: str, border: float = 0.0) -> tuple[Any, Any]:
    """Insights of a model that tells the classes apart by the sign of the first column, and that column."""
    random = np.random.default_rng(0)
    columns = {name: random.normal(size=ROWS) for name in names}
    truth = (columns[names[0]] > border).astype(np.float32)
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


def test_a_mistake_is_a_wrong_answer_and_a_near_miss_a_right_one_that_is_not_sure(
    make_dataset: Any, compose_config: Any
) -> None:
    found, values = found_on(make_dataset, compose_config, "used", "other", border=0.5)
    wrong = np.flatnonzero((values > 0) & (values <= 0.5))
    assert found["wrong"] == len(wrong) > MISTAKES
    assert [each["row_id"] for each in found["mistakes"]] == [
        str(row) for row in wrong[np.argsort(-values[wrong])][:MISTAKES]
    ]
    assert all(each["prediction"] != each["target"] for each in found["mistakes"])
    right = np.flatnonzero((values <= 0) | (values > 0.5))
    near = right[np.argsort(np.abs(values[right]))][:NEAR_MISSES]
    near = near[np.abs(2 / (1 + np.exp(-3 * values[near])) - 1) <= NEAR]
    assert [each["row_id"] for each in found["near_misses"]] == [str(row) for row in near] != []
    found, _ = found_on(make_dataset, compose_config, "used", "other")
    assert (found["wrong"], found["mistakes"]) == (0, [])


@pytest.mark.parametrize(
    ("task", "values", "answers", "expected", "wrong"),
    [
        ("multiclass", [0, 1, 2], [[0.5, 0.4, 0.1], [0.5, 0.4, 0.1], [0, 0, 1]], [0.1, -0.1, 1], [1]),
        ("multilabel", [[0, 1], [1, 0]], [[0.1, 0.6], [0.9, 0.75]], [0.2, -0.5], [1]),
        ("binary", [0, 1, 1], [[0.5], [0.5], [0.6]], [0, 0, 0.2], [1]),  # one half is the first class
        ("regression", [1], [[1]], [-np.inf], [0]),
    ],
)
def test_how_far_the_true_answer_is_ahead_of_the_next(
    task: str, values: Any, answers: Any, expected: Any, wrong: list[int]
) -> None:
    classes = () if task == "regression" else ("a", "b", "c")
    found = lead(Target(task, np.array(values, np.float32), classes), np.array(answers, np.float32))
    assert found == pytest.approx(expected, abs=1e-6)
    assert list(np.flatnonzero(found < 0)) == wrong


def test_a_single_column_has_no_importance(make_dataset: Any, compose_config: Any) -> None:
    found, _ = found_on(make_dataset, compose_config, "used")
    assert found["importance"] == {}


@pytest.mark.parametrize(("seconds", "rows"), [(1e-6, 1_000), (1e-3, 150), (0.1, 0)])
def test_a_slow_model_is_asked_for_fewer_rows(
    make_dataset: Any, monkeypatch: pytest.MonkeyPatch, seconds: float, rows: int
) -> None:
    clock, asked = [0.0], []

    def answer(dataset: Any) -> Any:
        asked.append(len(dataset))
        clock[0] += seconds * len(dataset)

    for name in ("perf_counter", "process_time"):
        monkeypatch.setattr(f"dltrain.report.insights.time.{name}", lambda: clock[0])
    dataset = make_dataset({"x": np.zeros(1_000)}, np.zeros(1_000))
    assert affordable_rows(dataset, answer, 2) == rows
    assert len(asked) <= 4
    assert clock[0] <= MOST_SECONDS or not rows
