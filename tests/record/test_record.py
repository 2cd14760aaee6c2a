from __future__ import annotations

import json
from pathlib import Path

import pytest

from dltrain.base.errors import ConfigError
from dltrain.record.record import Record


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
    with pytest.raises(ConfigError, match=r"does not exist\. Did you mean '12-00-00_wine_mlp'"):
        Record(run.with_name("12-00-00_wine_mpl"))


def test_a_directory_of_runs_is_no_run(run: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no run .*12-00-00_wine_mlp"):
        Record(run.parent)


@pytest.mark.parametrize("name", ["run.json", "config.yaml"])
def test_a_damaged_file_is_named(run: Path, name: str) -> None:
    (run / name).write_text("{")
    with pytest.raises(ConfigError, match=name):
        _ = (Record(run).facts, Record(run).config)
