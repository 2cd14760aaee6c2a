from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dltrain.sweeps.ledger import Entry, Ledger, job_directories

LONG = "x" * 20_000

WRITER = """
import sys
from pathlib import Path
from dltrain.sweeps.ledger import Entry, Ledger
for number in range(20):
    Ledger(Path(sys.argv[1])).append(Entry(job=f"{sys.argv[2]}_{number}", reason="x" * 20_000))
"""

# None of these is there on Windows.
WITHOUT_POSIX = """
import os, sys
from pathlib import Path
import numpy
sys.modules |= dict.fromkeys(("fcntl", "grp", "pwd", "resource", "termios"))
for name in ("fork", "pread", "sysconf", "uname"):
    delattr(os, name)
from dltrain.base.lock import lock, unlock
from dltrain.sweeps.ledger import Entry, Ledger
from dltrain.sweeps.stop import in_main_process, stoppable
sweep = Path(sys.argv[1])
lock(sweep)
with stoppable(sweep):
    assert in_main_process(sweep)
    Ledger(sweep).append(Entry(job="0"))
unlock(sweep)
"""


def test_processes_write_whole_lines_beside_each_other(tmp_path: Path) -> None:
    paths = {"PYTHONPATH": ":".join(sys.path)}
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], env=paths) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    entries = Ledger(tmp_path).entries()
    assert {entry.job for entry in entries} == {f"{name}_{number}" for name in "abc" for number in range(20)}
    assert {entry.reason for entry in entries} == {LONG}


def test_line_after_one_that_a_kill_cut_short_is_whole(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(Entry(job="0"))
    with ledger.path.open("a") as file:
        file.write('{"job": "1", "stat')
    ledger.append(Entry(job="2"))
    assert [entry.job for entry in ledger.entries()] == ["0", "2"]


def test_system_need_not_be_posix(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX, str(tmp_path)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert [entry.job for entry in Ledger(tmp_path).entries()] == ["0"]


def leave(sweep: Path, job: str, metrics: dict[str, Any], **facts: Any) -> Path:
    """The directory of a job, as far as the ledger looks at it."""
    (sweep / job / ".hydra").mkdir(parents=True)
    (sweep / job / ".hydra" / "overrides.yaml").write_text("- seed=1\n")
    (sweep / job / "run.json").write_text(json.dumps({"status": "completed", "config_sha256": job, **facts}))
    (sweep / job / "metrics.json").write_text(json.dumps(metrics))
    return sweep / job


def test_entry_of_a_single_split(tmp_path: Path) -> None:
    metrics = {"monitor": "val_loss", "best_value": 0.9, "best_epoch": 2, "epochs": 3, "validation": {"loss": 0.9}}
    job = leave(tmp_path, "0", metrics, seconds=1.5, trainable_parameters=7, data={"sha256": "abc"})
    entry = Entry.of(job, tmp_path)
    assert (entry.job, entry.key, entry.data, entry.overrides) == ("0", "0", "abc", ["seed=1"])
    assert (entry.status, entry.monitor, entry.value, entry.metrics) == ("completed", "val_loss", 0.9, {"loss": 0.9})
    assert (entry.epochs, entry.best_epoch, entry.parameters, entry.seconds) == (3, 2, 7, 1.5)
    assert (entry.repeats, entry.overlap, entry.reason) == ({}, None, None)


def test_metrics_of_a_job_with_seeds_are_means_like_its_monitored_value(tmp_path: Path) -> None:
    runs = [{"seed": 4, "validation": {"loss": 0.4}}, {"seed": 5, "validation": {"loss": 0.6}}]
    seeds = {"validation": {"mean": {"loss": 0.5, "accuracy": 0.75}}, "runs": runs}
    metrics = {"validation": {"loss": 0.9, "accuracy": 0.25}, "best_value": 0.5, "seeds": seeds}
    entry = Entry.of(leave(tmp_path, "0", metrics), tmp_path)
    assert entry.metrics == {"loss": 0.5, "accuracy": 0.75}
    assert entry.repeats == {"loss": {"seeds 4": 0.4, "seeds 5": 0.6}}


def test_metrics_of_a_job_with_folds_are_means_and_the_folds_tell_how_much_they_share(tmp_path: Path) -> None:
    folds = [{"fold": number, "rows": 10, "train_rows": 20, "loss": 0.1 * number} for number in (1, 2)]
    metrics = {"best_value": 0.15, "cross_validation": {"mean": {"loss": 0.15}, "folds": folds}}
    entry = Entry.of(leave(tmp_path, "0", metrics), tmp_path)
    assert entry.metrics == {"loss": 0.15}
    assert entry.repeats == {"loss": {"cross_validation 1": 0.1, "cross_validation 2": 0.2}}
    assert entry.overlap == 0.5


@pytest.mark.parametrize(
    ("facts", "error", "reason"),
    [
        ({"status": "failed", "error": "The loss is NaN."}, "other", "The loss is NaN."),
        ({"status": "running"}, "MemoryError", "MemoryError"),
        ({"status": "running"}, None, "the run did not complete"),
    ],
)
def test_job_that_failed_says_why(tmp_path: Path, facts: dict[str, Any], error: str | None, reason: str) -> None:
    entry = Entry.of(leave(tmp_path, "0", {}, **facts), tmp_path, error)
    assert (entry.status, entry.reason) == ("failed", reason)


def test_what_ended_without_a_line_is_gathered_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    for job, status in {"10": "completed", "2": "failed", "1": "running"}.items():
        leave(tmp_path, job, {}, status=status)
    ledger = Ledger(tmp_path)
    assert [(entry.job, entry.status) for entry in ledger.gather()] == [("2", "failed"), ("10", "completed")]
    assert ledger.gather() == ledger.entries()
    assert len(ledger.path.read_text().splitlines()) == 2


def test_failed_and_unfinished_jobs_make_room_for_themselves(tmp_path: Path) -> None:
    for job, status in {"0": "completed", "1": "failed", "2": "running"}.items():
        leave(tmp_path, job, {}, status=status)
    ledger = Ledger(tmp_path)
    ledger.gather()
    ledger.remove_unfinished()
    assert [path.name for path in job_directories(tmp_path)] == ["0", "1"]
    ledger.forget_failed()
    assert [path.name for path in job_directories(tmp_path)] == ["0"]
    assert [entry.job for entry in ledger.entries()] == ["0"]


def test_ledger_cut_inside_a_character_is_read_and_gets_its_job_back(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(Entry(job="0", reason="grün"))
    leave(tmp_path, "1", {}, status="failed", error="größer")
    ledger.gather()
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole[: whole.rindex("ö".encode()) + 1])
    assert [entry.job for entry in ledger.entries()] == ["0"]
    assert [(entry.job, entry.reason) for entry in ledger.gather()] == [("0", "grün"), ("1", "größer")]


@pytest.mark.parametrize(
    "line",
    [
        *("42", "null", "[1]", "{}", "[" * 100_000, '{"job": 5}', '{"job": "../other"}', '{"job": "/"}', '{"job": ""}'),
        *('{"job": "9", "overrides": "seed=1"}', '{"job": "9", "metrics": null}', '{"job": "9", "status": []}'),
    ],
    ids=lambda line: line[:20],
)
def test_line_that_is_no_entry_is_passed_over_and_told_once(
    line: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(Entry(job="0"))
    with ledger.path.open("a") as file:
        file.write(f"{line}\n\n")
    ledger.append(Entry(job="2"))
    for _ in range(2):
        assert [entry.job for entry in ledger.entries()] == ["0", "2"]
    (told,) = caplog.messages
    assert "sweep.jsonl': lines passed over because they are damaged: 1." in told


def test_changed_line_is_known_by_its_checksum_and_an_old_line_has_none(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for job in ("0", "1"):
        ledger.append(Entry(job=job, value=0.5, metrics={"loss": 0.1 + 0.2, "auc": float("nan")}, reason="\udc80"))
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"0.5", b"0.6", 1) + b'{"job": "2", "value": 0.7}\n')
    assert [(entry.job, entry.value) for entry in ledger.entries()] == [("1", 0.5), ("2", 0.7)]


def test_directory_that_a_process_holds_is_not_removed(tmp_path: Path) -> None:
    for job in ("0", "1"):
        leave(tmp_path, job, {}, status="running")
    script = "import sys; from pathlib import Path; from dltrain.base.lock import lock\n"
    script += "lock(Path(sys.argv[1])); print(1, flush=True); input()"
    command = [sys.executable, "-c", script, str(tmp_path / "0")]
    holder = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert holder.stdout
    assert holder.stdout.readline() == b"1\n"
    Ledger(tmp_path).remove_unfinished()
    assert [path.name for path in job_directories(tmp_path)] == ["0"]
    holder.kill()
    holder.communicate()
    Ledger(tmp_path).remove_unfinished()
    assert job_directories(tmp_path) == []


def test_job_that_another_process_has_finished_is_known(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.finished(leave(tmp_path, "0", {}, status="running")) is None
    for _ in range(2):
        entry = ledger.finished(tmp_path / "1" if (tmp_path / "1").exists() else leave(tmp_path, "1", {}))
        assert entry
        assert (entry.job, entry.status) == ("1", "completed")
    assert [entry.job for entry in ledger.entries()] == ["1"]


def test_a_line_that_is_being_written_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(Entry("0"))
    ledger.append(Entry("1"))
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole[:-9])
    monkeypatch.setattr("dltrain.sweeps.ledger.time.sleep", lambda _: ledger.path.write_bytes(whole))
    assert [entry.job for entry in ledger.entries()] == ["0", "1"]
    assert not caplog.records
