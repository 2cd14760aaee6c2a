from __future__ import annotations

import errno
import subprocess
import sys
import threading
import time
from pathlib import Path

import filelock
import pytest

from dltrain.base.errors import ConfigError
from dltrain.base.lock import lock, unlock, waiting_for
from dltrain.record.run_directory import claim

# Says that it has the lock, and holds it until it is killed or its input ends.
HOLDER = """
import sys
from pathlib import Path
from dltrain.base.lock import lock
lock(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


PATHS = {"PYTHONPATH": ":".join(sys.path)}


@pytest.fixture
def holder(tmp_path: Path):  # type: ignore[no-untyped-def]
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=PATHS,
    ) as process:
        assert process.stdout.readline() == b"locked\n"
        yield process
        process.kill()


def test_directory_of_another_process_is_refused_until_that_is_killed(tmp_path: Path, holder: subprocess.Popen) -> None:
    with pytest.raises(ConfigError, match=r"is in use: another process runs in it"):
        lock(tmp_path)
    with pytest.raises(ConfigError, match=r"is in use"):
        claim(tmp_path, key="hydra.run.dir", chosen=True)
    holder.kill()
    holder.wait()
    assert [file.name for file in tmp_path.iterdir()] == [".lock"]  # what a kill leaves
    assert lock(tmp_path)
    unlock(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_own_lock_is_taken_once_and_given_back_once(tmp_path: Path) -> None:
    assert lock(tmp_path)
    assert not lock(tmp_path)
    unlock(tmp_path)
    unlock(tmp_path)
    assert lock(tmp_path)
    unlock(tmp_path)


def test_who_waits_has_the_directory_when_it_is_free(tmp_path: Path, holder: subprocess.Popen) -> None:
    threading.Timer(0.3, holder.kill).start()
    began = time.monotonic()
    with waiting_for(tmp_path):
        assert time.monotonic() - began > 0.25
        with pytest.raises(subprocess.CalledProcessError):
            subprocess.run([sys.executable, "-c", HOLDER, str(tmp_path)], check=True, capture_output=True, env=PATHS)
    assert list(tmp_path.iterdir()) == []


def test_own_lock_is_not_waited_for(tmp_path: Path) -> None:
    assert lock(tmp_path)
    with waiting_for(tmp_path):
        pass
    assert not lock(tmp_path)
    unlock(tmp_path)


def test_directory_that_cannot_be_written_is_not_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    assert not lock(tmp_path)
    with waiting_for(tmp_path):
        unlock(tmp_path)
    assert list(tmp_path.iterdir()) == []
