from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dltrain.sweeps import watch as module
from dltrain.sweeps.ledger import Ledger
from dltrain.sweeps.remaining import Job
from dltrain.sweeps.watch import Watch

from .conftest import entry

JOBS = [Job(["dataset=wine", f"optimizer={name}"], str(place)) for place, name in enumerate(("adam", "sgd", "nadam"))]
COMMON = ["dataset=wine", "score_test=never"]


@pytest.fixture(autouse=True)
def looks_only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 3_600.0)


@pytest.fixture
def console() -> Console:
    return Console(width=200, record=True, file=io.StringIO(), force_terminal=False)


def run_json(sweep: Path, job: int, **facts: Any) -> None:
    (sweep / str(job)).mkdir(exist_ok=True)
    (sweep / str(job) / "run.json").write_text(json.dumps({"status": "running", **facts}))


def ends(sweep: Path, job: int, *words: str, **more: object) -> None:
    run_json(sweep, job)
    given = {"best_epoch": 12, "epochs": 62, "seconds": 1.44, **more}
    Ledger(sweep).append(entry(job, *COMMON, *words, value=0.43123, **given))  # type: ignore[arg-type]


def test_job_has_a_line_of_what_is_its_own(tmp_path: Path, console: Console) -> None:
    with Watch(Ledger(tmp_path), console, common=COMMON, total=3, known=JOBS) as watch:
        watch.runs(JOBS[:1])
        ends(tmp_path, 0, "optimizer=adam", "report=false")
        watch.runs(JOBS[1:2])
        watch.look()
        ends(tmp_path, 1, "optimizer=sgd", status="failed", reason="The training\n diverged.")
        (tmp_path / "1" / "dltrain.log").touch()
        watch.runs(JOBS[2:])
        ends(tmp_path, 2, "optimizer=nadam", status="pruned", reason="pruned after epoch 3")
    assert console.export_text().splitlines() == [
        "[1/3] optimizer=adam   val_loss 0.4312  epoch 12 of 62  1.4 s",
        "[2/3] optimizer=sgd    failed (1/dltrain.log): The training diverged.",
        "[3/3] optimizer=nadam  pruned after epoch 3",
    ]


def test_jobs_of_an_earlier_start_are_counted_and_not_shown_again(tmp_path: Path, console: Console) -> None:
    ends(tmp_path, 0, "optimizer=adam")
    with Watch(Ledger(tmp_path), console, common=COMMON, total=2):
        ends(tmp_path, 1, "optimizer=s\x1b[31m", reason="missed what was required")
    (line,) = console.export_text().splitlines()
    assert line.startswith("[2/2] optimizer=s\\x1b[31m  val_loss 0.4312")
    assert line.endswith("1.4 s  missed what was required")


def test_what_jobs_tell_alike_is_shown_once(tmp_path: Path, console: Console) -> None:
    with Watch(Ledger(tmp_path), console, common=COMMON, total=2) as watch:
        watch.runs(JOBS)
        run_json(tmp_path, 0, notes=["178 wines"])
        watch.look()
        run_json(tmp_path, 0, notes=["178 wines"], warnings=["3 of 18 rows (rows 1, 2, …) twice", "1 of 2 rows twice"])
        watch.look()
        run_json(tmp_path, 1, notes=["178 wines", "no column of text"], warnings=["5 of 18 rows (rows 7) twice"])
        watch.look()
    assert console.export_text().splitlines() == [
        "178 wines",
        "3 of 18 rows (rows 1, 2, …) twice",
        "1 of 2 rows twice",
        "no column of text",
    ]


@pytest.mark.parametrize(
    ("history", "shown"),
    [
        (None, r"\[1/3\] optimizer=adam"),
        ("epoch,loss,val_auc\n1,0.5,0.75\n2,0.25,0.8\n", r"\[1/3\] optimizer=adam .*epoch +2/300  val_auc 0.8000"),
        ("epoch,loss\n1,0.5\n2,0.2", r"\[1/3\] optimizer=adam .*epoch +2/300  loss 0.2000"),
        ("epo", r"\[1/3\] optimizer=adam"),
    ],
)
def test_job_that_runs_has_a_live_line_on_a_terminal(tmp_path: Path, history: str | None, shown: str) -> None:
    file = io.StringIO()
    screen = Console(file=file, width=80, force_terminal=True, color_system=None, legacy_windows=False)
    with Watch(Ledger(tmp_path), screen, common=COMMON, total=3) as watch:
        watch.runs(JOBS)
        run_json(tmp_path, 0, settings={"trainer.epochs": 300, "task.monitor": "val_auc"})
        if history is not None:
            (tmp_path / "0" / "history.csv").write_text(history)
        watch.look()
    text = re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", file.getvalue())
    assert re.search(shown, text)
    assert "[2/3]" not in text
    assert max(map(len, text.replace("\r", "\n").splitlines())) <= 80


def test_the_thread_looks_by_itself_and_ends(
    tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.01)
    with Watch(Ledger(tmp_path), console, common=COMMON, total=1) as watch:
        ends(tmp_path, 0, "optimizer=adam")
        wait_until(lambda: "[1/1]" in console.export_text(clear=False))
    assert not watch.thread.is_alive()


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.01)

    return wait
