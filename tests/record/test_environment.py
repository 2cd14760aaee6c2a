from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from dltrain.record import environment


def test_variables_that_influence_numbers_are_recorded_only_if_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    bare = environment.versions()
    assert list(bare) == ["python", "dltrain", *environment.PACKAGES]
    assert bare["numpy"]
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("UNRELATED", "1")
    assert environment.versions() == bare | {"TF_ENABLE_ONEDNN_OPTS": "0"}


def test_a_package_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PACKAGES", ("numpy", "no-such-package-anywhere"))
    assert environment.versions()["no-such-package-anywhere"] is None


@pytest.mark.parametrize("error", [FileNotFoundError("git"), subprocess.TimeoutExpired("git", 5)])
def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    assert environment.git() is None


def test_each_changed_file_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    answers = {"rev-parse": "abc123\n", "status": " M one.py\n?? two.py\n"}

    def answer(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, 0, stdout=answers[words[1]])

    monkeypatch.setattr(subprocess, "run", answer)
    assert environment.git() == {"commit": "abc123", "changed_files": 2}
