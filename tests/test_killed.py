"""A run is killed at random moments, and resumed until it is done: it ends as the run that nobody killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = 15

# Importing TensorFlow takes longer than the run, so that one process imports it and each run is a copy of that process.
FORKS = """
import json, os, random, signal, sys, time
from pathlib import Path
from dltrain.internals import tensorflow_quietly
tensorflow_quietly.load()
import dltrain.experiment.run
from dltrain.cli.main import main

WORDS = ["dataset=synthetic", "dataset.rows=80", "model.units=[4]", "trainer.epochs=60", "trainer.save_state_seconds=0",
         "callbacks=[default,reduce_on_plateau]", "callbacks.reduce_on_plateau.patience=3", "optimizer.use_ema=true",
         "score_test=always", "quiet=true"]

def start(words):
    child = os.fork()
    if child == 0:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os._exit(main(words))
    return child

def code_of(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

folder, kills = Path(sys.argv[1]), int(sys.argv[2])
began = time.monotonic()
assert code_of(start([*WORDS, f"hydra.run.dir={folder}/whole"])) == 0
seconds = time.monotonic() - began
random.seed(0)
reached, last, late, number = [], None, 0, 0
while len(reached) < kills:
    number += 1
    # Some runs are killed a second time, while they are resumed.
    run = last if last and number % 3 == 2 else folder / str(number)
    begin = [*WORDS, f"hydra.run.dir={run}"]
    child = start(["resume", str(run)] if (run / "run.json").exists() else begin)
    time.sleep(random.random() * seconds)
    if os.waitpid(child, os.WNOHANG)[0]:
        late, seconds, last = late + 1, 0.8 * seconds, None  # it was done before it could be killed
        continue
    os.kill(child, signal.SIGKILL)
    code_of(child)
    record = json.loads((run / "run.json").read_text()) if (run / "run.json").exists() else {"status": "nothing"}
    rows = len((run / "history.csv").read_text().splitlines()) if (run / "history.csv").exists() else 0
    reached.append([record["status"], rows, (run / "model.keras").exists()])
    last = run
for run in sorted({folder / str(each) for each in range(number + 1)}):
    if run.exists():
        begin = [*WORDS, f"hydra.run.dir={run}"]
        assert code_of(start(["resume", str(run)] if (run / "run.json").exists() else begin)) == 0, run
        for name in ("history.csv", "predictions.csv", "metrics.json", "checkpoints/state.json"):
            assert (run / name).read_bytes() == (folder / "whole" / name).read_bytes(), (run, name)
        assert json.loads((run / "run.json").read_text())["status"] == "completed"
        assert not list(run.rglob(".part-*")), list(run.rglob(".part-*"))
print(json.dumps(reached))
"""


@pytest.mark.slow
def test_killed_at_random_moments_and_resumed_it_ends_the_same(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", FORKS, str(tmp_path), str(KILLS)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    print(done.stdout)
