"""A Bayesian search against a random one of as many jobs: the best validation loss that each finds.

    DLTRAIN_TEST_DATA=DIR python benchmarks/search.py [--jobs 40] [--repeats 5] [--data titanic boston] [OVERRIDE ...]

Both search the space `wide` from the same seeds, on the same split. Prints the best losses of each repetition when it
has ended, and at last the mean of the paired differences with its standard error.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from dltrain.internals import tensorflow_quietly

tensorflow_quietly.load()

from dltrain.cli.main import main as dltrain  # noqa: E402

SEARCHES = ("random", "bayesian")


def best_of(search: str, seed: int, *words: str) -> float:
    """The best validation loss of a search whose draws have this seed."""
    with tempfile.TemporaryDirectory() as folder:
        fixed = ["search/space=wide", "optimizer=adam", "~callbacks.tensorboard", "keep=none", "quiet=true"]
        where = [f"search.seed={seed}", f"hydra.sweep.dir={folder}/sweep"]
        code = dltrain([f"search={search}", *fixed, *words, *where])
        assert code == 0
        return float(json.loads(Path(folder, "sweep", "best.json").read_text())["value"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--data", nargs="+", default=["titanic", "boston"])
    parser.add_argument("overrides", nargs="*")
    given = parser.parse_intermixed_args()
    lines = []
    for data in given.data:
        words = [f"dataset={data}", f"search.jobs={given.jobs}", *given.overrides]
        differences = []
        for seed in range(1, given.repeats + 1):
            found = {search: best_of(search, seed, *words) for search in SEARCHES}
            differences.append(found["bayesian"] - found["random"])
            told = ", ".join(f"{search} {value:.5g}" for search, value in found.items())
            lines.append(f"{data}, seed {seed}: {told}")
            print(f"\n{lines[-1]}\n", flush=True)
        mean = statistics.mean(differences)
        error = statistics.stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else float("nan")
        lines.append(f"{data}: bayesian - random {mean:+.5f}, standard error {error:.5f} (below 0: bayesian is better)")
    print("\n".join(["", *lines]))


if __name__ == "__main__":
    main()
