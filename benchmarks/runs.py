"""How long `dltrain runs` takes over many run directories: python benchmarks/runs.py [COUNT]."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dltrain.config.compose import Composer
from dltrain.config.settings import choices_of, settings_of

REPEATS = 5


def write_runs(folder: Path, count: int) -> None:
    """Run directories as a real run leaves them: each differs in its seed and its learning rate."""
    config = Composer().compose(["dataset=titanic"])
    choices = choices_of(config.hydra.runtime.choices)
    del config.hydra
    settings = settings_of(config)
    scores = {"loss": 0.4, "accuracy": 0.8, "auc": 0.9}
    for number in range(count):
        run = folder / f"2026-01-{number // 100 + 1:02}" / f"{number:06}_titanic_mlp"
        run.mkdir(parents=True)
        facts = {
            "status": "completed" if number % 10 else "failed",
            "started": f"2026-01-01T00:{number % 60:02}:00.000+00:00",
            "command": ["dltrain", "dataset=titanic"],
            "notes": ["not a feature: name (names one passenger)."] * 8,
            "data": {"name": "titanic", "rows": 1309, "sha256": "0" * 64},
            "seconds": 2.5,
            "choices": choices,
            "settings": settings | {"seed": number, "optimizer.learning_rate": 0.1 / (number + 1)},
        }
        (run / "run.json").write_text(json.dumps(facts, indent=2))
        results = dict.fromkeys(("train", "validation", "test"), scores) | {"best_epoch": 3, "best_value": 0.4}
        (run / "metrics.json").write_text(json.dumps(results, indent=2))
        for name in ("checkpoints", "tensorboard", ".hydra"):
            (run / name).mkdir()


def _children_seconds() -> float:
    """CPU time of finished child processes: unlike the clock, other work on the machine does not add to it."""
    times = os.times()
    return times.children_user + times.children_system


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    with tempfile.TemporaryDirectory() as folder:
        write_runs(Path(folder), count)
        command = [sys.executable, "-m", "dltrain", "runs", folder]
        for words in ([], ["--sort", "-validation", "--filter", "status=completed accuracy>0.5"], ["--json"]):
            times = []
            spent = _children_seconds()
            for _ in range(REPEATS):
                began = time.perf_counter()
                subprocess.run([*command, *words], check=True, stdout=subprocess.DEVNULL, env=dict(os.environ))
                times.append(time.perf_counter() - began)
            line = " ".join(["dltrain runs", *words])
            span = f"{min(times):.2f} to {max(times):.2f}"
            spent = (_children_seconds() - spent) / REPEATS
            print(f"{count:,} runs: {statistics.median(times):.2f} s ({span}), CPU {spent:.2f} s  {line}")


if __name__ == "__main__":
    main()
