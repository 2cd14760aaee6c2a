from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dltrain.base.errors import ConfigError
from dltrain.record.listing import rows_below
from dltrain.record.record import Record
from dltrain.sweeps.ledger import Entry
from dltrain.sweeps.ranking import better_way


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "12-00-00_wine_mlp"
    path.mkdir()
    (path / "run.json").write_text(json.dumps({"status": "completed", "seed": 1}))
    (path / "config.yaml").write_text("seed: 1\n")
    (path / "history.csv").write_text("epoch,loss,accuracy\n1,0.5,\n2,0.25,0.75\n")
    return path


def test_files_are_read_back(run: Path) -> None:
    record = Record(run)
    assert (record.facts["status"], record.config.seed, record.metrics) == ("completed", 1, {})
    assert record.history == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25, "accuracy": 0.75}]


def test_a_file_of_the_run_names_the_run(run: Path) -> None:
    assert Record(run / "run.json").path == run


def test_a_misspelt_directory_gets_the_nearest_run(run: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not exist\. Did you mean ") as caught:
        Record(run.with_name("12-00-00_wine_mpl"))
    assert str(caught.value).endswith(f"'{run}'?")  # whole, to be pasted


def test_a_directory_of_runs_is_no_run(run: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no run .*12-00-00_wine_mlp"):
        Record(run.parent)


@pytest.mark.parametrize("name", ["run.json", "config.yaml"])
def test_a_damaged_file_is_named(run: Path, name: str) -> None:
    (run / name).write_text("{")
    with pytest.raises(ConfigError, match=name):
        _ = (Record(run).facts, Record(run).config)


def test_a_metric_is_what_the_run_says_else_what_its_class_or_name_tells(run: Path) -> None:
    settings = {"task.metrics.odd._target_": "keras.metrics.MeanAbsoluteError", "task.metrics.kappa._target_": "gone.K"}
    facts = {"settings": settings, "metric_traits": {"kappa": {"direction": "max", "best": 1.0}}}
    (run / "run.json").write_text(json.dumps(facts))
    record = Record(run)
    names = ("val_kappa", "odd", "log_likelihood", "anything")
    assert [record.traits(name).direction for name in names] == ["max", "min", "max", None]


def test_the_runs_of_a_sweep_are_listed_by_a_likelihood_as_the_sweep_ranks_them(tmp_path: Path) -> None:
    for job, value in (("0", -3.0), ("1", -1.0)):
        (tmp_path / job).mkdir()
        (tmp_path / job / "run.json").write_text(json.dumps({"status": "completed"}))
        (tmp_path / job / "metrics.json").write_text(json.dumps({"validation": {"log_likelihood": value}}))
    assert all(row.rises for row in rows_below(tmp_path))
    entries = [Entry.of(tmp_path / job, tmp_path) for job in ("0", "1")]
    assert [entry.direction for entry in entries] == [None, None]
    assert better_way([Entry("0", monitor="val_log_likelihood")]) == "max"


def test_scores_of_folds_and_seeds_are_means(run: Path) -> None:
    def scores(metrics: dict[str, Any]) -> list[dict[str, float]]:
        (run / "metrics.json").write_text(json.dumps(metrics))
        return [Record(run).scores(part) for part in ("train", "validation", "test")]

    plain = {"train": {"loss": 1.0}, "validation": {"loss": 2.0}}
    assert scores(plain) == [{"loss": 1.0}, {"loss": 2.0}, {}]
    seeds = {"train": {"mean": {"loss": 1.5}}, "runs": [{"seed": 4, "train": {"loss": 1.0}}, {"seed": 5}]}
    assert scores(plain | {"seeds": seeds}) == [{"loss": 1.5}, {"loss": 2.0}, {}]
    assert Record(run).repeats("test", "train")["seeds"] == {
        "4": {"seed": 4, "train": {"loss": 1.0}, "loss": 1.0},
        "5": {"seed": 5},
    }
    folds = {"mean": {"loss": 3.0}, "folds": [{"fold": 1, "loss": 2.5}, {"fold": 2, "loss": 3.5}]}
    assert scores({"train": {"loss": 1.0}, "cross_validation": folds}) == [{"loss": 1.0}, {"loss": 3.0}, {}]
    assert list(Record(run).repeats()["folds"]) == ["1", "2"]


def test_the_task_that_was_found_stands_for_auto(run: Path) -> None:
    for chosen, expected in (("auto", "regression"), ("multilabel", "multilabel")):
        facts = {"status": "completed", "choices": {"task": chosen}, "task": "regression", "settings": {}}
        (run / "run.json").write_text(json.dumps(facts))
        assert Record(run).choices["task"] == expected
    (row,) = rows_below(run.parent)
    assert row.values["task"] == "multilabel"
