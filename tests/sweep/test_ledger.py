from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dltrain.sweep.ledger import Entry, Ledger

LONG = "x" * 20_000

WRITER = """
import sys
from pathlib import Path
from dltrain.sweep.ledger import Entry, Ledger
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
from dltrain.sweep.ledger import Entry, Ledger
from dltrain.sweep.stop import in_main_process, stoppable
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
