"""The facts are those of this process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dltrain.surroundings.facts import gather


def test_what_is_gathered_without_tensorflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "cache"))
    facts = gather()
    assert facts.python == tuple(sys.version_info[:3])
    assert facts.folder == str(tmp_path)
    assert facts.free_bytes > 0
    assert (facts.cache, facts.cache_writable) == (str(tmp_path / "cache"), True)
    assert facts.owners["keras"] == ["keras"]
    assert facts.versions["hydra-core"]
    (tmp_path / "file").touch()
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "file" / "cache"))
    assert gather().cache_writable is False


def test_driver_that_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA A100'\necho 'NVIDIA T4'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert gather().driver_gpus == ["NVIDIA A100", "NVIDIA T4"]
    program.write_text("#!/bin/sh\nexit 9\n")
    assert gather().driver_gpus == []
