from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from omegaconf import DictConfig

from dltrain.api.rerun import resume_sweep
from dltrain.base.errors import RunError
from dltrain.cli import main as cli
from dltrain.config.compose import conf_directory
from dltrain.sweeps.ledger import Ledger

from .conftest import leave_a_run

FakeRun = Callable[[Callable[[DictConfig], Any]], list[str]]
GRID = ["-m", "optimizer=adam,sgd", "regularizer=none,l2", "hydra.sweep.dir=here"]


def lines(folder: str = "here") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(folder, "sweep.jsonl").read_text().splitlines()]


def test_each_job_has_its_line_and_the_best_is_named(fake_run: FakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    fake_run(leave_a_run)
    assert cli.main(GRID) == 0
    assert [line["job"] for line in lines()] == ["0", "1", "2", "3"]
    assert len({line["key"] for line in lines()}) == 4
    assert {line["status"] for line in lines()} == {"completed"}
    best = json.loads(Path("here/best.json").read_text())
    assert best["job"] == "0"
    assert best["value"] == 0.001
    assert best["command"] == "dltrain optimizer=adam regularizer=none score_test=always"
    with Path("here/results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["optimizer"], row["regularizer"], row["val_loss"]) for row in rows] == [
        ("adam", "none", "0.001"),
        ("adam", "l2", "0.001"),
        ("sgd", "none", "0.01"),
        ("sgd", "l2", "0.01"),
    ]
    out = capsys.readouterr().out
    assert out.splitlines()[:4] == [
        "[1/4] optimizer=adam regularizer=none  val_loss 0.0010  epoch 2 of 3  0.5 s",
        "[2/4] optimizer=adam regularizer=l2    val_loss 0.0010  epoch 2 of 3  0.5 s",
        "[3/4] optimizer=sgd regularizer=none   val_loss 0.0100  epoch 2 of 3  0.5 s",
        "[4/4] optimizer=sgd regularizer=l2     val_loss 0.0100  epoch 2 of 3  0.5 s",
    ]
    assert best["command"] in out
    assert "no test tells these apart" in out
    assert cli.main(["runs", "."]) == 0
    assert "sweep of 4" in capsys.readouterr().out


def test_same_command_again_runs_nothing(fake_run: FakeRun) -> None:
    ran = fake_run(leave_a_run)
    assert [cli.main(GRID), cli.main(GRID)] == [0, 0]
    assert ran == ["0", "1", "2", "3"]
    assert len(lines()) == 4


def test_what_was_cut_off_runs_again_in_its_place(fake_run: FakeRun) -> None:
    ran = fake_run(leave_a_run)
    cli.main(GRID)
    ledger = Path("here/sweep.jsonl")
    kept = ledger.read_text().splitlines(keepends=True)
    # Killed in the third job: its line was half written, and its directory says that it is running.
    ledger.write_text("".join(kept[:2]) + kept[2][:30])
    Path("here/2/run.json").write_text(json.dumps({"status": "running"}))
    shutil.rmtree("here/3")
    assert cli.main(GRID) == 0
    assert ran == ["0", "1", "2", "3", "2", "3"]
    assert [entry.job for entry in Ledger(Path("here")).entries()] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("same", [True, False])
def test_what_saved_its_state_goes_on_where_its_settings_are_the_same(same: bool) -> None:
    words = ["-m", "seed=1,2", "dataset=synthetic", "dataset.rows=60", "model=linear", "trainer.epochs=2", "quiet=true"]
    words += ["hydra.sweep.dir=here", "report=false"]
    assert cli.main(words) == 0
    assert not Path("here/report.html").exists()
    before, history = lines(), Path("here/1/history.csv").read_text()
    run = json.loads(Path("here/1/run.json").read_text()) | {"status": "running"}
    Path("here/1/run.json").write_text(json.dumps(run if same else run | {"config_sha256": "another"}))
    Path("here/sweep.jsonl").write_text(json.dumps(before[0]) + "\n")
    assert cli.main(words) == 0
    timed = {"seconds": None, "sha256": None}
    assert [line | timed for line in lines()] == [line | timed for line in before]
    run = json.loads(Path("here/1/run.json").read_text())
    assert run["status"] == "completed"
    assert ("resumed" in run) is same
    if same:  # not an epoch was trained again
        assert Path("here/1/history.csv").read_text() == history


@pytest.mark.parametrize(("group", "trainings"), [("cv=kfold", 3), ("seeds=2", 2)])
def test_folds_and_seeds_that_were_trained_are_not_trained_again(
    monkeypatch: pytest.MonkeyPatch, group: str, trainings: int
) -> None:
    from dltrain.experiment import cross_validation, repetition
    from dltrain.experiment.journal import Journal

    words = ["-m", "seed=1", "dataset=synthetic", "dataset.rows=60", "model=linear", "trainer.epochs=2", "quiet=true"]
    words += ["~callbacks.tensorboard", group, *(["cv.folds=2"] if group.startswith("cv") else [])]
    epochs: list[int] = []
    tell = Journal.epoch

    def epoch(self: Journal, number: int, values: Any) -> None:
        epochs.append(number)
        tell(self, number, values)

    def terminated(*_: Any) -> None:
        raise SystemExit(143)

    monkeypatch.setattr(Journal, "epoch", epoch)
    assert cli.main([*words, "hydra.sweep.dir=whole"]) == 0
    assert len(epochs) == 2 * trainings
    with monkeypatch.context() as patch:
        for module in (cross_validation, repetition):
            patch.setattr(module, "summarize", terminated)
        assert cli.main([*words, "hydra.sweep.dir=here"]) == 143
    epochs.clear()
    assert cli.main([*words, "hydra.sweep.dir=here"]) == 0
    assert len(epochs) == 2 * (trainings - 2)
    timed = {"seconds": None, "sha256": None}
    assert [line | timed for line in lines()] == [line | timed for line in lines("whole")]
    assert not list(Path("here").glob("*/*/*/checkpoints"))


def test_a_finished_job_without_a_line_is_not_run_again(fake_run: FakeRun) -> None:
    ran = fake_run(leave_a_run)
    cli.main(GRID)
    Path("here/sweep.jsonl").write_text("")
    assert cli.main(GRID) == 0
    assert len(ran) == 4
    assert len(lines()) == 4


def test_failures_are_listed_and_repeated_on_demand(fake_run: FakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(config: DictConfig) -> float:
        if config.optimizer.learning_rate == 0.01:
            raise RunError("The training diverged.")
        return leave_a_run(config)

    fake_run(fail)
    assert cli.main(GRID) == 1
    out, error = capsys.readouterr()
    assert out.count("failed  job") == 2
    assert "(optimizer=sgd regularizer=l2): The training diverged." in out
    assert "[4/4] optimizer=sgd regularizer=l2     failed: The training diverged." in out
    assert error == ""
    ran = fake_run(leave_a_run)
    assert cli.main(GRID) == 1
    assert ran == []
    assert cli.main([*GRID, "--retry-failed"]) == 0
    fake_run(fail)
    capsys.readouterr()
    assert cli.main(["-m", "dataset=titanic", "optimizer=sgd", "hydra.sweep.dir=single"]) == 1
    assert "failed  job 0: The training diverged." in capsys.readouterr().out
    assert ran == ["2", "3"]
    assert [entry.status for entry in Ledger(Path("here")).entries()] == ["completed"] * 4


def test_changed_space_is_told_and_can_be_added(fake_run: FakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    ran = fake_run(leave_a_run)
    cli.main(GRID)
    wider = ["-m", "optimizer=rmsprop,adam,sgd", "regularizer=none,l2", "hydra.sweep.dir=here"]
    capsys.readouterr()
    assert cli.main(wider) == 2
    assert capsys.readouterr().err.splitlines()[1:] == [
        "error: there, not now: optimizer=adam,sgd",
        "error: now, not there: optimizer=rmsprop,adam,sgd",
    ]
    assert len(ran) == 4
    assert cli.main([*wider, "extend=true"]) == 0
    assert ran[4:] == ["4", "5"]
    assert [entry.overrides[0] for entry in Ledger(Path("here")).entries()][4:] == ["optimizer=rmsprop"] * 2
    assert [cli.main(GRID), cli.main(wider)] == [0, 0]  # both spaces are the directory's own now
    assert len(ran) == 6


def test_what_is_told_of_a_sweep_may_change_when_it_goes_on(fake_run: FakeRun) -> None:
    ran = fake_run(leave_a_run)
    cli.main(GRID)
    assert cli.main([*GRID, "report=true", "tracking=none", "verbose=true"]) == 0
    record = json.loads(Path("here/sweep.json").read_text())
    record["space"].append("report=true")  # as versions before wrote it
    Path("here/sweep.json").write_text(json.dumps(record))
    assert cli.main(GRID) == 0
    assert len(ran) == 4


def test_changed_yaml_under_the_same_words_is_refused(
    fake_run: FakeRun, working_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_run(leave_a_run)
    option = working_directory / "mine" / "trainer" / "short.yaml"
    option.parent.mkdir(parents=True)
    text = conf_directory().joinpath("trainer/default.yaml").read_text()
    option.write_text(text)
    words = ["--config-dir", "mine", "trainer=short", *GRID]
    assert cli.main(words) == 0
    option.write_text(text.replace("epochs: 300", "epochs: 5"))
    assert cli.main(words) == 2
    assert "had the same words and other settings" in capsys.readouterr().err


def test_ctrl_c_finishes_the_job_in_flight(fake_run: FakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(config: DictConfig) -> float:
        if config.optimizer.learning_rate == 0.01:
            os.kill(os.getpid(), signal.SIGINT)
        return leave_a_run(config)

    before = signal.getsignal(signal.SIGINT)
    ran = fake_run(interrupted)
    assert cli.main(GRID) == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert ran == ["0", "1", "2"]
    error = capsys.readouterr().err
    assert "press Ctrl-C again" in error
    assert f"3 jobs done; to go on: dltrain resume {Path('here').resolve()}" in error
    ran = fake_run(leave_a_run)
    assert resume_sweep(Path("here"), []) == 0
    assert ran == ["3"]


def test_ctrl_c_in_the_first_job_leaves_one_job(fake_run: FakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    fake_run(lambda config: os.kill(os.getpid(), signal.SIGINT) or leave_a_run(config))
    assert cli.main(GRID) == 130
    assert "1 job done; to go on" in capsys.readouterr().err


def test_second_ctrl_c_ends_the_job(fake_run: FakeRun) -> None:
    def twice(config: DictConfig) -> float:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        return leave_a_run(config)

    ran = fake_run(twice)
    assert cli.main(GRID) == 130
    assert ran == ["0"]
    assert not Path("here/sweep.jsonl").exists()


@pytest.mark.parametrize(("keep", "left"), [("best", [3, 4, 5, 6, 7]), ("all", list(range(8))), ("none", [])])
def test_only_the_best_keep_their_models(fake_run: FakeRun, keep: str, left: list[int]) -> None:
    fake_run(lambda config: leave_a_run(config, best_value=-float(config.seed)))
    assert cli.main(["-m", "seed=0,1,2,3,4,5,6,7", f"keep={keep}", "hydra.sweep.dir=here"]) == 0
    jobs = sorted(Path("here").glob("[0-9]"))
    assert [int(job.name) for job in jobs if (job / "model.keras").exists()] == left
    assert [int(job.name) for job in jobs if (job / "checkpoints").exists()] == left
    assert all((job / "metrics.json").exists() for job in jobs)


def test_a_job_reads_no_more_files_than_those_before_it(fake_run: FakeRun) -> None:
    reads, at_each_job = 0, []

    def count(frame: object, event: str, call: Any) -> None:
        nonlocal reads
        reads += event == "c_call" and call.__name__ in ("open", "stat", "scandir", "listdir", "loads")

    def run(config: DictConfig) -> float:
        at_each_job.append(reads)
        return leave_a_run(config)

    fake_run(run)
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        assert cli.main(["-m", "hydra.sweep.dir=here", "seed=range(0,12)", "hydra/launcher=basic"]) == 0
    finally:
        sys.setprofile(before)
    of_jobs = [later - earlier for earlier, later in itertools.pairwise(at_each_job)]
    # From the eighth on, each job loses its model, since it is not among the best.
    assert of_jobs[-1] - of_jobs[7] < len(of_jobs) - 8


def test_jobs_named_by_their_words_resume_too(fake_run: FakeRun) -> None:
    words = [*GRID, "hydra.sweep.subdir=${hydra:job.override_dirname}"]
    ran = fake_run(leave_a_run)
    assert [cli.main(words), cli.main(words)] == [0, 0]
    assert len(ran) == 4
    assert ran[0] == "optimizer=adam,regularizer=none,score_test=never"


def test_sweep_keys_without_a_sweep_are_refused(fake_run: FakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    fake_run(leave_a_run)
    assert cli.main(["keep=all"]) == 2
    assert "keep has no effect on a single run" in capsys.readouterr().err
    assert cli.main(["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.sweep.dir=here"]) == 2
    faults = capsys.readouterr().err.splitlines()
    assert [fault.split()[1] for fault in faults] == ["hydra/launcher", "hydra.launcher.n_jobs", "hydra.sweep.dir"]
    assert cli.main([*GRID, "hydra.run.dir=here"]) == 2
    assert "hydra.run.dir has no effect on a sweep: name its directory with hydra.sweep.dir." in capsys.readouterr().err
    assert cli.main([*GRID, "extend=true"]) == 2
    assert "holds no sweep" in capsys.readouterr().err


def test_two_sweeps_do_not_share_a_directory(fake_run: FakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    fake_run(leave_a_run)
    assert cli.main(GRID) == 0
    with FileLock("here/.lock"):  # a lock belongs to the opened file, so that it stands for another process
        assert cli.main(GRID) == 2
    assert "is in use" in capsys.readouterr().err


def test_changed_data_is_refused(working_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = working_directory / "small.csv"
    text = "a,b,y\n" + "".join(f"{row},{row * row % 7},{row % 2}\n" for row in range(60))
    table.write_text(text)
    words = ["-m", "dataset=csv", "dataset.path=small.csv", "dataset.target=y", "model=linear", "trainer.epochs=1"]
    words += ["quiet=true", "optimizer=adam,sgd", "hydra.sweep.dir=here"]
    assert cli.main(words) == 0
    assert all(line["data"] for line in lines())
    assert {line["status"] for line in lines()} == {"completed"}
    assert list(Path("here/0/tensorboard").glob("events*"))
    ledger = Path("here/sweep.jsonl")
    ledger.write_text(ledger.read_text().splitlines(keepends=True)[0])
    shutil.rmtree("here/1")
    table.write_text(text.replace("3,2,1", "3,5,1"))
    assert cli.main(words) == 2
    assert "has changed since its job 0 ran" in capsys.readouterr().err
    table.write_text(text)
    assert cli.main(words) == 0
    assert [line["job"] for line in lines()] == ["0", "1"]
