"""Sweeps in processes of their own: killed, and on launchers."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
SMALL = ["dataset=synthetic", "dataset.rows=60", "model=linear", "trainer.epochs=2", "quiet=true"]


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    where = [] if any(word.startswith("hydra.sweep.dir=") for word in words) else ["hydra.sweep.dir=here"]
    command = [sys.executable, "-m", "dltrain", *SMALL, *words, *where]
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, stderr=subprocess.PIPE)


def lines(folder: Path) -> list[dict[str, Any]]:
    file = folder / "here" / "sweep.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def wait_for_jobs(folder: Path, number: int) -> None:
    end = time.monotonic() + 300
    while len(lines(folder)) < number:
        assert time.monotonic() < end, "the jobs did not come"
        time.sleep(0.05)


def test_killed_sweep_ends_with_each_job_once(tmp_path: Path) -> None:
    words = ["-m", "seed=range(0,20)"]
    first = start(tmp_path, *words)
    wait_for_jobs(tmp_path, 7)
    first.kill()
    first.communicate()
    assert len(lines(tmp_path)) < 20
    again = start(tmp_path, *words)
    assert again.communicate(timeout=600) is not None
    assert again.returncode == 0
    assert len(lines(tmp_path)) == 20
    assert len({line["key"] for line in lines(tmp_path)}) == 20
    assert {line["status"] for line in lines(tmp_path)} == {"completed"}


def test_processes_that_grow_hand_over_and_run_each_job_once(tmp_path: Path) -> None:
    # Stands in for `python -m dltrain` with a limit that every job exceeds; those that follow are told nothing of it.
    script = "import sys\nfrom dltrain.sweeps import memory\nmemory.WARM_UP_JOBS, memory.MOST_GROWTH = 3, 0.0\n"
    script += "from dltrain.cli.main import main\nsys.exit(main())\n"
    begin = [sys.executable, "-c", script, *SMALL, "-m", "seed=range(0,20)", "hydra.sweep.dir=here"]
    begin.append("hydra/launcher=basic")  # other processes end after some jobs by themselves
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    done = subprocess.run(begin, cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr
    raw = (tmp_path / "here" / "sweep.jsonl").read_text().splitlines()
    assert len(raw) == len({line["key"] for line in lines(tmp_path)}) == 20
    assert {line["status"] for line in lines(tmp_path)} == {"completed"}
    record = json.loads((tmp_path / "here" / "sweep.json").read_text())
    assert len(record["continued"]) == 1
    assert done.stdout.count("20 completed") == 1  # the leaderboard comes once, at the end


def test_ctrl_c_finishes_the_job_and_tells_how_to_go_on(tmp_path: Path) -> None:
    words = ["-m", "seed=range(0,20)"]
    first = start(tmp_path, *words)
    wait_for_jobs(tmp_path, 3)
    first.send_signal(signal.SIGINT)
    _, error = first.communicate(timeout=300)
    assert first.returncode == 130
    assert "dltrain resume" in error
    # Hydra may have made the directory of the next job, which then did not begin.
    jobs = {path.parent.name for path in (tmp_path / "here").glob("[0-9]*/run.json")}
    assert {line["job"] for line in lines(tmp_path)} == jobs
    assert len(jobs) < 20


def test_a_worker_that_dies_is_replaced_and_its_job_runs_again(tmp_path: Path) -> None:
    sweep = start(tmp_path, "-m", "seed=range(0,6)", "hydra.launcher.workers=2", "trainer.epochs=400")
    wait_for_jobs(tmp_path, 1)
    (worker, *_) = [
        pid
        for pid in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
        if any(str(tmp_path / "here") in link for link in open_files(pid)) and pid != sweep.pid
    ]
    os.kill(worker, signal.SIGKILL)
    _, error = sweep.communicate(timeout=600)
    assert sweep.returncode == 0, error
    assert sorted(line["job"] for line in lines(tmp_path)) == [str(number) for number in range(6)]
    assert {line["status"] for line in lines(tmp_path)} == {"completed"}


def open_files(pid: int) -> list[str]:
    """The files that a process holds; none where it is gone."""
    try:
        return [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of three jobs that ran one after the other in one process."""
    folder = tmp_path_factory.mktemp("sweep")
    done = start(folder, "-m", "seed=1,2,3", "hydra.sweep.dir=alone", "hydra/launcher=basic")
    _, error = done.communicate(timeout=600)
    assert done.returncode == 0, error
    return folder / "alone"


@pytest.mark.parametrize("launcher", ["processes", "joblib", "submitit_local"])
def test_workers_write_the_same_ledger(tmp_path: Path, launcher: str, alone: Path) -> None:
    package = {
        "processes": "hydra_plugins.dltrain_plugins",
        "joblib": "hydra_plugins.hydra_joblib_launcher",
        "submitit_local": "hydra_plugins.hydra_submitit_launcher",
    }[launcher]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    both = ["hydra.launcher.workers=2"] if launcher == "processes" else []
    done = start(tmp_path, "-m", "seed=1,2,3", f"hydra/launcher={launcher}", *both)
    _, error = done.communicate(timeout=600)
    assert done.returncode == 0, error
    assert sorted(line["job"] for line in lines(tmp_path)) == ["0", "1", "2"]
    of_workers = {line["key"]: line["value"] for line in lines(tmp_path)}
    for job in ("0", "1", "2"):
        for name in ("history.csv", "predictions.csv", "metrics.json"):
            assert (tmp_path / "here" / job / name).read_bytes() == (alone / job / name).read_bytes()
    of_one = map(json.loads, (alone / "sweep.jsonl").read_text().splitlines())
    assert {each["key"]: each["value"] for each in of_one} == of_workers


# A scheduler that starts each task of an array at once, and whose tasks are told to run for ever.
SBATCH = """#!/bin/sh
cp "$1" "$(dirname "$0")/script.sh"
for task in 0 1; do
  SLURM_JOB_ID=7$task SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$task SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_NODEID=0 \\
  SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_JOB_NODELIST=localhost sh "$1" > /dev/null 2>&1 &
done
echo "Submitted batch job 7"
"""
SRUN = """#!/bin/sh
for last; do :; done
exec "$PYTHON" -u -m submitit.core._submit "$(echo "$last" | sed "s/%j/7_$SLURM_ARRAY_TASK_ID/")"
"""
SACCT = """#!/bin/sh
printf 'JobID|State|NodeList\\n7_0|RUNNING|localhost\\n7_1|RUNNING|localhost\\n'
"""


def test_slurm_gets_a_right_script_and_its_jobs_write_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("hydra_plugins.hydra_submitit_launcher") is None:
        pytest.skip("hydra_plugins.hydra_submitit_launcher is not installed")
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, text in {"sbatch": SBATCH, "srun": SRUN, "sacct": SACCT, "scancel": "#!/bin/sh\n"}.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHON", sys.executable)
    words = ["hydra/launcher=submitit_slurm", "hydra.launcher.partition=gpu", "hydra.launcher.timeout_min=90"]
    sweep = start(tmp_path, "-m", "seed=1,2", *words, "hydra.launcher.cpus_per_task=2")
    _, error = sweep.communicate(timeout=600)
    assert sweep.returncode == 0, error
    assert sorted(line["job"] for line in lines(tmp_path)) == ["0", "1"]
    script = (commands / "script.sh").read_text()
    for line in ("array=0-1%2", "partition=gpu", "time=90", "cpus-per-task=2", "job-name=dltrain"):
        assert f"#SBATCH --{line}\n" in script


def test_killed_worker_of_joblib_costs_no_job(tmp_path: Path) -> None:
    if importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None:
        pytest.skip("hydra_plugins.hydra_joblib_launcher is not installed")
    # The slow job of the four is under way when its worker is killed.
    words = ["-m", "seed=1,2,3,4", "trainer.epochs=400", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    sweep = start(tmp_path, *words)
    kill_a_worker(tmp_path, sweep)
    _, error = sweep.communicate(timeout=900)
    assert sweep.returncode == 0, error
    assert sorted(line["job"] for line in lines(tmp_path)) == ["0", "1", "2", "3"]
    assert {line["status"] for line in lines(tmp_path)} == {"completed"}


def kill_a_worker(folder: Path, sweep: subprocess.Popen[str]) -> None:
    """Kills the process of a job that has begun to train."""
    end = time.monotonic() + 900
    while True:
        assert time.monotonic() < end, "no job began"
        assert sweep.poll() is None, "the sweep ended before"
        for file in (folder / "here").glob("*/history.csv"):
            record = json.loads((file.parent / "run.json").read_text())
            if record["status"] == "running":
                assert record["pid"] != sweep.pid
                os.kill(record["pid"], signal.SIGKILL)
                return
        time.sleep(0.02)


def test_killed_parent_of_joblib_takes_its_workers_along_and_no_job_is_lost(tmp_path: Path) -> None:
    if importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None:
        pytest.skip("hydra_plugins.hydra_joblib_launcher is not installed")
    words = ["-m", "seed=1,2,3", "trainer.epochs=400", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    words += ["trainer.save_state_seconds=1", "report=false"]
    sweep = start(tmp_path, *words)
    end, workers = time.monotonic() + 300, set()
    while len(workers) < 2:
        assert time.monotonic() < end, "the jobs did not begin"
        time.sleep(0.05)
        for file in (tmp_path / "here").glob("*/run.json"):
            workers.add(json.loads(file.read_text())["pid"])
    sweep.kill()
    sweep.communicate()
    again = start(tmp_path, *words)  # at once, while the workers still write
    _, error = again.communicate(timeout=600)
    assert again.returncode == 0, error
    assert sorted(line["job"] for line in lines(tmp_path)) == ["0", "1", "2"]
    assert {line["status"] for line in lines(tmp_path)} == {"completed"}
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_search_by_the_clock_ends_with_the_best_so_far_and_goes_on(tmp_path: Path, number: int) -> None:
    words = ["search=best", "search.recipe=linear", "cv=kfold", "cv.folds=2"]
    model = tmp_path / "here" / "ensemble" / "model.keras"
    # As many minutes as a slow machine needs for the first jobs; what is left of them is not waited for.
    first = start(tmp_path, *words, "search.minutes=30")
    wait_for_jobs(tmp_path, 2)
    first.send_signal(number)
    first.communicate(timeout=300)
    assert first.returncode == (130 if number == signal.SIGINT else -number)
    assert model.exists() is (number == signal.SIGINT)
    done = len(lines(tmp_path))
    again = start(tmp_path, *words, f"search.jobs={done + 2}", "search.minutes=30", "extend=true")
    _, error = again.communicate(timeout=600)
    assert again.returncode == 0, error
    assert model.exists()
    assert len(lines(tmp_path)) == done + 2
    facts = json.loads((model.parent / "run.json").read_text())
    assert len(facts["candidates"]) == sum(line["status"] == "completed" for line in lines(tmp_path))
    assert len(facts["test_scorings"]) == (2 if number == signal.SIGINT else 1)


def test_a_search_of_a_few_seconds_ends_by_itself(tmp_path: Path) -> None:
    """Nothing is asserted of the seconds; test_best.py looks at them with a made clock."""
    done = start(tmp_path, "search=best", "search.recipe=linear", "cv=none", "search.minutes=0.3")
    _, error = done.communicate(timeout=900)
    assert done.returncode in (0, 1, 2), error  # a machine under load may not end one job in that time
    if done.returncode == 0:
        assert (tmp_path / "here" / "ensemble" / "model.keras").exists()
    else:
        assert "search.minutes" in error
