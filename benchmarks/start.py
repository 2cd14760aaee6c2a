"""Whole processes against the time that importing TensorFlow takes, in turn.

python benchmarks/start.py [--repeats 3]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time

DLTRAIN = [sys.executable, "-m", "dltrain"]
COMMANDS = {
    "import tensorflow": [sys.executable, "-c", "import tensorflow"],
    "dltrain --help": [*DLTRAIN, "--help"],
    "dltrain --cfg job": [*DLTRAIN, "--cfg", "job"],
    "dltrain optimiser=adam (refused)": [*DLTRAIN, "optimiser=adam"],
    "dltrain experiment=smoke": [*DLTRAIN, "experiment=smoke"],
    "dltrain dataset=titanic": [*DLTRAIN, "dataset=titanic"],
    "dltrain dataset=wine": [*DLTRAIN, "dataset=wine"],
    "dltrain dataset=boston": [*DLTRAIN, "dataset=boston"],
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats):
            for name, command in COMMANDS.items():
                began = time.perf_counter()
                subprocess.run(command, capture_output=True, cwd=folder, check=False)
                seconds[name].append(time.perf_counter() - began)
    imported = statistics.median(seconds["import tensorflow"])
    for name, taken in seconds.items():
        middle = statistics.median(taken)
        print(f"{name:34} median {middle:6.2f} s   {middle - imported:+6.2f} s beside the import of TensorFlow")


if __name__ == "__main__":
    main()
