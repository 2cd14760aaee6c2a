from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dltrain.base.errors import ConfigError
from dltrain.base.lock import lock, unlock
from dltrain.record.claim import claim

# Says that it has the lock, and holds it until it is killed or its input ends.
HOLDER = """
import sys
from pathlib import Path
from dltrain.base.lock import lock
lock(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path):  # type: ignore[no-untyped-def]
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
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
