"""The wheel and the main job on the other Pythons that are supported, wherever they are installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VERSIONS = ("3.11", "3.12", "3.13")
LONGEST = 900  # seconds that a command may take, with all downloads

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * LONGEST)]


def said(*words: str | Path) -> str:
    """What a command prints; nothing where it fails or does not exist."""
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def interpreters(version: str) -> Iterator[Path]:
    if found := shutil.which(f"python{version}"):
        yield Path(found)
    if folder := said("pyenv", "prefix", version):
        yield Path(folder) / "bin" / f"python{version}"


def run(*words: str | Path, folder: Path) -> str:
    ours = ("DLTRAIN", "PYTHON", "TF_", "VIRTUAL_ENV", "XDG_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    # Most of what is installed is never imported, so that pip need not compile it.
    environment |= {"HOME": str(folder), "PIP_COMPILE": "0"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=LONGEST)
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, ROOT, folder=folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.mark.parametrize("version", VERSIONS)
def test_main_job_runs_from_the_wheel(version: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip("all the other tests run on this Python")
    own = "import sys; print('%d.%d' % sys.version_info[:2])"
    python = next((path for path in interpreters(version) if said(path, "-c", own) == version), None)
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    wheel = request.getfixturevalue("wheel")  # which is not made in vain
    run(python, "-m", "venv", "venv", folder=tmp_path)
    commands = tmp_path / "venv" / "bin"
    run(commands / "pip", "install", "--quiet", "--disable-pip-version-check", wheel, folder=tmp_path)
    assert run(commands / "dltrain", "dataset=titanic", "optimizer=adam", folder=tmp_path) == ""
    (record,) = (tmp_path / "outputs").rglob("run.json")
    facts = json.loads(record.read_text())
    assert facts["status"] == "completed"
    assert facts["versions"]["python"].startswith(f"{version}.")
    shutil.rmtree(tmp_path / "venv")
