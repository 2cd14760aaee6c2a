"""What the defaults reach: the mean test score over ten seeds, each with a split of its own.

    python benchmarks/defaults.py [--seeds 10]

Runs `dltrain -m 'seed=range(0,N)' …` for each line of the table below and prints mean and standard error.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LINES = (
    (["dataset=titanic"], "accuracy", ">= 0.79"),
    (["dataset=titanic", "dataset.engineered=true"], "accuracy", ">= 0.80"),
    (["dataset=wine"], "accuracy", ">= 0.97"),
    (["dataset=boston"], "rmse", "<= 3.6"),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    for overrides, metric, wanted in LINES:
        with tempfile.TemporaryDirectory() as folder:
            words = [*overrides, f"seed=range(0,{seeds})", "quiet=true", f"hydra.sweep.dir={folder}/sweep"]
            subprocess.run([sys.executable, "-m", "dltrain", "-m", *words], check=True, capture_output=True)
            files = sorted(Path(folder).glob("sweep/*/metrics.json"))
            scores = [json.loads(file.read_text())["test"][metric] for file in files]
        error = statistics.stdev(scores) / len(scores) ** 0.5
        print(
            f"{' '.join(overrides):50} test {metric} {statistics.mean(scores):.4f} +- {error:.4f} (wanted {wanted})",
            flush=True,
        )


if __name__ == "__main__":
    main()
