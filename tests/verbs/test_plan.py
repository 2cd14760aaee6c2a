from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dltrain.cli import main as cli

SMALL = ["dataset=synthetic", "dataset.rows=60", "model=linear", "trainer.epochs=2"]


def test_each_job_is_listed_with_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "-m", "optimizer=adam,sgd", "seed=1,2", *SMALL, "--settings-only", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [row["settings"] for row in answer["jobs"]] == [
        "optimizer=adam seed=1",
        "optimizer=adam seed=2",
        "optimizer=sgd seed=1",
        "optimizer=sgd seed=2",
    ]
    assert answer["total"]["count"] == 4


def test_costs_come_from_the_network_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["plan", *SMALL, "trainer.batch_size=10", "--json"]) == 0
    ((row,), total) = json.loads(capsys.readouterr().out).values()
    width = int(row["features"].rpartition(" ")[2])
    assert row["parameters"] == width + 1
    assert row["steps"] == -(-row["rows"] // 10)
    assert row["epochs"] == 2
    assert row["seconds"] > 0
    assert total == {"count": 1, "seconds": row["seconds"]}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-m", "optimizer=adam,adm"], "In 1 of 2 jobs"),
        (["optimizer=adam,sgd"], "Add -m to run each of them"),
        (["trainer.epohcs=1"], "Did you mean trainer.epochs=1?"),
        (["search=random", "search.objectives=[test_loss]"], "test part"),
    ],
)
def test_faults_are_told_before_anything_heavy(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["plan", *words]) == 2
    assert message in capsys.readouterr().err


def test_data_that_does_not_fit_is_told_per_job(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "-m", "task=regression,binary", "dataset=wine", "model=linear"]) == 1
    out = capsys.readouterr().out
    assert "job 1: " in out
    assert "2 jobs, settings without fault" in out


def test_search_counts_its_jobs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "search=random", "search.jobs=7", "--settings-only"]) == 0
    assert capsys.readouterr().out.startswith("7 jobs")
    words = ["plan", "search=grid", "search.points=2", "search/space=learning_rate", "--settings-only", "--csv"]
    assert cli.main(words) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_settings_are_listed_without_heavy_imports() -> None:
    code = (
        "import sys; from dltrain.cli.main import main; main(['plan', '-m', 'optimizer=adam,sgd', '--settings-only']);"
        "print([name for name in ('tensorflow', 'keras', 'sklearn', 'optuna') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("choices", ["random,grid", "none,random"])
def test_several_searches_are_refused(capsys: pytest.CaptureFixture[str], choices: str) -> None:
    assert cli.main(["plan", "-m", f"search={choices}", *SMALL, "--settings-only"]) == 2
    assert "expected one for the whole sweep" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "trainings", "rows"),
    [
        ([], 1, 36),
        (["seeds=4"], 4, 36),
        (["cv=repeated_kfold", "cv.folds=2", "cv.repeats=2"], 5, 48),
        (["cv=kfold", "cv.folds=2", "cv.ensemble=true"], 2, 18),
    ],
)
def test_every_fold_and_seed_counts(
    words: list[str], trainings: int, rows: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["plan", *SMALL[:3], *words, "trainer.epochs=1000", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["jobs"]
    assert (row["trainings"], row["rows"]) == (trainings, rows)
    # Callbacks alone take a thousand times a hundredth of a second.
    assert row["seconds"] > 10 * trainings
