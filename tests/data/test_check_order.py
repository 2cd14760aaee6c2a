from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.data.check_order import dates_at_random, entities_at_random

ROWS = 200
GENERATOR = np.random.default_rng(0)
SHUFFLED = GENERATOR.permutation(ROWS)
DAYS = np.datetime_as_string(np.datetime64("2020-01-01") + SHUFFLED).astype(object)
NOISE = GENERATOR.standard_normal(ROWS)
PATIENT = np.array([f"p{number % 40}" for number in SHUFFLED], dtype=object)


def found(check: Any, parts: Any) -> list[tuple[str, str]]:
    return [(finding.severity, finding.sentence.rpartition(": ")[2]) for finding in check(parts)]


@pytest.mark.parametrize(
    ("target", "task", "severity"),
    [
        (NOISE, "regression", "hint"),
        (np.sin(SHUFFLED / 20) + 0.1 * NOISE, "regression", "warning"),
        ((NOISE > 0).astype(float), "binary", "hint"),
        ((SHUFFLED // 25 % 2).astype(float), "binary", "warning"),
    ],
)
def test_dates_warn_where_neighbours_in_time_are_alike(make_parts: Any, target: Any, task: str, severity: str) -> None:
    parts = make_parts({"day": DAYS, "x": NOISE}, target, task, kinds={"day": "date"})
    assert found(dates_at_random, parts) == [(severity, "split=time split.column=day")]


def test_clock_in_several_columns_is_a_time(make_parts: Any) -> None:
    columns = {"No": SHUFFLED * 1.0, "year": SHUFFLED // 100 + 2020.0, "Month": SHUFFLED // 10 % 10 + 1.0}
    columns["day"] = SHUFFLED % 10 + 1.0
    parts = make_parts(columns, SHUFFLED * 1.0, "regression")
    assert found(dates_at_random, parts) == [("warning", "split=time 'split.column=[year,Month,day]'")]


def test_no_date_is_told_of_where_none_says_when_a_row_was(make_parts: Any) -> None:
    in_order = np.sort(DAYS)
    for columns in (
        {"day": in_order, "x": NOISE},  # the parts follow each other already
        {"date_of_birth": DAYS, "x": NOISE},
        {"day": np.where(NOISE > 0, "2020-01-01", "2021-01-01").astype(object), "x": NOISE},
        {"day": np.where(NOISE > 2, "", DAYS).astype(object), "x": NOISE},
    ):
        kinds = {name: "date" for name in columns if name != "x"}
        assert found(dates_at_random, make_parts(columns, NOISE, "regression", kinds=kinds)) == []
    model_year = {"year": SHUFFLED // 20 + 2000.0, "x": NOISE}
    assert found(dates_at_random, make_parts(model_year, NOISE, "regression")) == []


@pytest.mark.parametrize("name", ["patient", "patient_id", "PatientID", "id", "subject#", "user_name", "customer-no"])
def test_ids_that_repeat_are_told_of(make_parts: Any, name: str) -> None:
    if name == "subject#":
        name = "subject"
    parts = make_parts({name: PATIENT, "x": NOISE}, (NOISE > 0).astype(float))
    assert found(entities_at_random, parts) == [("hint", f"split=group split.column={name}")]


def test_ids_are_not_told_of_where_they_are_none(make_parts: Any) -> None:
    once = np.array([f"p{number}" for number in range(ROWS)], dtype=object)
    in_order = np.array([f"p{number // 5}" for number in range(ROWS)], dtype=object)
    for name, cells in {
        "patient": once,
        "patient_id": in_order,  # no patient is in two parts
        "zone_id": PATIENT,
        "zone": PATIENT,
        "heat_index": SHUFFLED % 40 * 1.0,
        "valid": PATIENT,
        "student": np.where(NOISE > 0, "yes", "no").astype(object),
        "user": SHUFFLED % 40 + 0.5,
    }.items():
        assert found(entities_at_random, make_parts({name: cells, "x": NOISE}, (NOISE > 0).astype(float))) == [], name
