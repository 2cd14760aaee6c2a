"""Sweeps on a real Ray cluster of this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dltrain.cli import main as cli

from .test_processes import kill_a_worker, lines, start


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a head with two cores."""
    pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # else the head asks for a token, which a test has no need of
    monkeypatch.setenv("RAY_TMPDIR", "/tmp/ray_of_dltrain_tests")  # paths of sockets must be short
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, sys.path)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ray = [sys.executable, "-c", "from ray.scripts.scripts import main; main()"]
    words = ["start", "--head", "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2"]
    words += ["--include-dashboard=false", "--disable-usage-stats", "--object-store-memory=100000000", "--block"]
    head = subprocess.Popen([*ray, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert head.stdout is not None
    for line in head.stdout:
        if "--block" in line or "Ray runtime started" in line:
            break
    yield f"127.0.0.1:{port}"
    head.terminate()
    head.communicate(timeout=60)


@pytest.mark.slow
def test_cluster_runs_the_jobs_and_those_of_a_killed_worker_again(tmp_path: Path, cluster: str) -> None:
    words = ["-m", "seed=1,2,3,4", "trainer.epochs=400", "hydra/launcher=ray", f"hydra.launcher.address={cluster}"]
    sweep = start(tmp_path, *words)
    kill_a_worker(tmp_path, sweep)
    _, error = sweep.communicate(timeout=600)
    assert sweep.returncode == 0, error
    assert sorted(line["job"] for line in lines(tmp_path)) == ["0", "1", "2", "3"]
    alone = start(tmp_path, *words[:3], "hydra.sweep.dir=alone")
    alone.communicate(timeout=600)
    file = tmp_path / "alone" / "sweep.jsonl"
    of_one_process = {each["key"]: each["value"] for each in map(json.loads, file.read_text().splitlines())}
    assert {line["key"]: line["value"] for line in lines(tmp_path)} == of_one_process


@pytest.mark.slow
def test_cluster_that_does_not_answer_is_told(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    sweep = start(tmp_path, "-m", "seed=1,2", "hydra/launcher=ray", "hydra.launcher.address=127.0.0.1:1")
    _, error = sweep.communicate(timeout=600)
    assert sweep.returncode == 2
    assert "hydra.launcher.address: nothing answers at '127.0.0.1:1': Connection refused." in error
    assert "Traceback" not in error


def test_lack_of_ray_is_told_before_any_job(
    working_directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fake_run: Any
) -> None:
    ran = fake_run(lambda config: 0.0)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert cli.main(["-m", "seed=1,2", "dataset=synthetic", "hydra/launcher=ray"]) == 2
    assert "pip install 'dltrain-keras[ray]'" in capsys.readouterr().err
    assert not ran
