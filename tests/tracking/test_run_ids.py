from __future__ import annotations

from pathlib import Path

from dltrain.record.run_directory import RunDirectory
from dltrain.tracking.run_ids import record_run, recorded_run


def test_each_tracker_finds_its_own_and_the_first_stands_where_the_only_one_stood(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    assert recorded_run(directory, "tracking.a") == {}
    record_run(directory, "tracking.a", uri="x", run_id="1")
    assert recorded_run(directory, "tracking.b") == {}
    for _ in range(2):  # a resumed run records them again
        record_run(directory, "tracking.a", uri="x", run_id="1")
        record_run(directory, "tracking.b", project="y", run_id="2")
        known = directory.facts["tracking"]
        assert (known["uri"], known["run_id"]) == ("x", "1")
        assert recorded_run(directory, "tracking.a") == {"uri": "x", "run_id": "1"}
        assert recorded_run(directory, "tracking.b") == {"project": "y", "run_id": "2"}


def test_a_tracker_that_got_another_address_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    record_run(directory, "tracking.a", uri="x", run_id="1")
    record_run(directory, "tracking.a", uri="z", run_id="3")
    assert directory.facts["tracking"] == {"uri": "z", "run_id": "3", "a": {"uri": "z", "run_id": "3"}}


def test_runs_of_earlier_versions_are_found_with_and_without_a_name(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    directory.facts["tracking"] = {"uri": "x", "run_id": "1"}
    for key in ("tracking", "tracking.mlflow"):
        assert recorded_run(directory, key) == {"uri": "x", "run_id": "1"}
    record_run(directory, "tracking", uri="x", run_id="1")
    assert directory.facts["tracking"] == {"uri": "x", "run_id": "1"}
