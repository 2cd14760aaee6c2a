from __future__ import annotations

from typing import Any

from dltrain.record.signature import Column, Signature
from dltrain.report.record_sections import checks, columns, flags, options, settings, steps, versions


def test_columns_show_a_range_or_the_number_of_words() -> None:
    shown = (
        Column("age", "numeric", "age", minimum=0.5, maximum=80, has_missing=True),
        Column("port", "category", "port", words=("C", "S")),
        Column("empty", "numeric", "empty"),
    )
    assert columns(Signature(shown, ("survived",), "binary")) == [
        ["age", "numeric", "0.5 to 80", "yes"],
        ["port", "category", "2 values", ""],
        ["empty", "numeric", "", ""],
    ]


def test_what_a_person_typed_is_marked(record_of: Any) -> None:
    record = record_of(
        {
            "overrides": ["+model.units=[8]", "optimizer=sgd", "trainer.epochs=3"],
            "choices": {"optimizer": "sgd", "schedule": None},
            "settings": {"model.units": [8], "model.units_more": None, "optimizer.rate": 0.1, "trainer.epochs": 3},
        }
    )
    assert options(record) == [("optimizer", "sgd", True), ("schedule", "none", False)]
    assert settings(record) == [
        ("model.units", "8", True),
        ("model.units_more", "null", False),
        ("optimizer.rate", "0.1", True),
        ("trainer.epochs", "3", True),
    ]


def test_findings_have_a_column_for_each_name(record_of: Any) -> None:
    assert checks(record_of({})) is None
    found = [{"name": "leak", "rows": [1, 2]}, {"name": "order", "fine": True}]
    assert checks(record_of({"checks": found})) == (
        ["name", "rows", "fine"],
        [["leak", "1, 2", ""], ["order", "", "true"]],
    )


def test_a_command_keeps_the_flags_that_name_its_configuration(record_of: Any) -> None:
    words = ["dltrain", "--config-dir", "my conf", "-cn=other", "seed=1", "-m"]
    assert flags(record_of({"command": words})) == ["--config-dir", "my conf", "-cn=other"]


def test_a_run_outside_of_a_repository_says_so(record_of: Any) -> None:
    shown = dict(versions(record_of({"git": None, "seed": 0, "versions": {"keras": "3"}})))
    assert (shown["git commit"], shown["seed"], shown["keras"], shown["finished"]) == (
        "not in a repository",
        0,
        "3",
        "",
    )


def test_steps_follow_from_rows_batch_size_and_epochs(record_of: Any) -> None:
    facts = {"data": {"parts": {"train": 1437}}, "batch_size": 256, "steps_per_epoch": 6}
    found = steps(record_of(facts), 60)
    assert found is not None
    assert found[1] == [["1,437", "256", "6", "60", "360"]]
    assert steps(record_of({"data": {}}), 60) is None
