from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltrain.base.errors import ConfigError
from dltrain.record.listing import Row, filter_rows, main_metric, rows_below, sort_rows


def row(name: str, **values: Any) -> Row:
    return Row(name, None, {"run": name, **values})


ROWS = [
    row("a", status="completed", optimizer="adam", rate=0.01, **{"validation.auc": 0.9}),
    row("b", status="failed", optimizer="sgd", rate=0.1),
    row("c", status="completed", optimizer="sgd", rate=1, **{"validation.auc": 0.7}),
]


def names(rows: list[Row]) -> str:
    return "".join(each.run for each in rows)


@pytest.mark.parametrize(
    ("conditions", "kept"),
    [
        ("", "abc"),
        ("status=completed", "ac"),
        ("optimizer!=sgd", "a"),
        ("auc>0.7", "a"),  # a metric without a part is that of validation
        ("auc>=0.7 rate=1.0", "c"),  # numbers are compared as numbers
        ("validation.auc<0.95", "ac"),  # what has no value meets no comparison
        ("rate<0.5 status=failed", "b"),
    ],
)
def test_rows_meet_all_conditions(conditions: str, kept: str) -> None:
    assert names(filter_rows(ROWS, conditions)) == kept


@pytest.mark.parametrize(
    ("conditions", "sentence"),
    [
        ("completed", "'completed' is not a condition"),
        ("optimiser=sgd", "no run has a 'optimiser'.* Did you mean 'optimizer'"),
        ("rate<fast", "compares with 'fast', expected a number"),
    ],
)
def test_a_wrong_condition_is_told(conditions: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        filter_rows(ROWS, conditions)


@given(st.lists(st.none() | st.integers(-1000, 1000)), st.booleans())
def test_rows_are_sorted_as_numbers_and_those_without_come_last(values: list[int | None], falls: bool) -> None:
    rows = [row(str(place), rate=value) for place, value in enumerate(values)]
    found = [each.values["rate"] for each in sort_rows(rows, "-rate" if falls else "rate")]
    known = sorted((value for value in values if value is not None), reverse=falls)
    assert found == known + [None] * (len(values) - len(known))


@pytest.mark.parametrize(
    ("scores", "metric"), [(["loss", "auc", "accuracy"], "accuracy"), (["mae", "loss"], "loss"), (["odd"], "odd")]
)
def test_one_metric_stands_for_a_run(scores: list[str], metric: str) -> None:
    assert main_metric(scores) == metric
    assert main_metric([]) is None


def test_runs_are_found_at_any_depth_the_newest_first_with_damaged_ones(tmp_path: Path) -> None:
    for name, facts in {
        "single": {"status": "completed", "started": "2026-01-01"},
        "sweep/0": {"status": "completed", "started": "2026-01-03"},
        "sweep/1": {"status": "failed", "started": "2026-01-02"},
    }.items():
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").write_text(json.dumps(facts))
    (tmp_path / "sweep" / "sweep.json").write_text("{}")
    (tmp_path / "lost" / ".hydra").mkdir(parents=True)
    found = rows_below(tmp_path)
    assert [(Path(each.run).name, each.sweep is not None, bool(each.fault)) for each in found] == [
        ("0", True, False),
        ("1", True, False),
        ("single", False, False),
        ("lost", False, True),
    ]
