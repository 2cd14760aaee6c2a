"""Compares a commit with another on ten whole commands: `python benchmarks/guard.py BEFORE [AFTER]`.

Each command runs in turn with the code of one commit and of the other, in an environment that has the packages of both.
It prints the median of the ratios of the times, after to before, with an interval of order statistics, and exits with 1
if a median is above 1.05 and its interval above 1. Such an interval takes no shape of the noise for granted, so that
one pair beside other work does not spoil it: of six pairs it reaches from the least ratio to the largest and holds the
true median in 97 of 100 cases, of five in 94. Fewer pairs tell too little.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from processes import PARENT
from scipy import stats

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 1.05
LEAST_PAIRS = 5
COVERAGE = 0.93  # of an interval, which five pairs have
QUIET = ["quiet=true"]
LONG = ["~callbacks.early_stopping", *QUIET]
# Words of a command by what they load most; @RUN is a directory of a run that is made first, @OUT a new directory.
WORKLOADS = {
    "composing a config": ["--cfg", "job", "dataset=wine", "model.units=[64,64]"],
    "titanic, 100 epochs": ["dataset=titanic", "trainer.epochs=100", *LONG, "hydra.run.dir=@OUT"],
    "wine, 100 epochs, without a report": [
        *["dataset=wine", "trainer.epochs=100", *LONG, "report=false", "hydra.run.dir=@OUT"],
    ],
    "48,000 rows, 5 epochs": [
        *["dataset=csv", "dataset.path=tall.csv", "dataset.target=y", "model=mlp", "trainer.epochs=5", *LONG],
        *["trainer.batch_size=256", "hydra.run.dir=@OUT"],
    ],
    "1,000 columns, 20 epochs": [
        *["dataset=csv", "dataset.path=wide.csv", "dataset.target=y", "model=mlp", "trainer.epochs=20", *LONG],
        "hydra.run.dir=@OUT",
    ],
    "pictures of 8 pixels, cnn, 5 epochs": [
        *["dataset=digits", "model=cnn", "trainer.epochs=5", *LONG, "hydra.run.dir=@OUT"],
    ],
    "texts, bag of words, 10 epochs": [
        *["dataset=synthetic", "dataset.kind=text", "dataset.rows=4000", "model=text_bag", "trainer.epochs=10", *LONG],
        "hydra.run.dir=@OUT",
    ],
    "five folds of wine": ["dataset=wine", "cv=kfold", "trainer.epochs=60", *LONG, "hydra.run.dir=@OUT"],
    "twelve jobs of wine": [
        *["-m", "dataset=wine", "optimizer=adam,sgd,rmsprop", "scaling=standard,minmax", "model.dropout=0,0.3"],
        *["trainer.epochs=60", *LONG, "hydra.sweep.dir=@OUT"],
    ],
    "predicting 200,000 rows": ["predict", "@RUN", "--input", "many.csv", "--output", "@OUT.csv"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", help="a commit, such as HEAD~20")
    parser.add_argument("after", nargs="?", default="HEAD", help="the commit that must not be slower")
    parser.add_argument("--repeats", type=int, default=6, help="pairs of each command")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="the workloads whose name has one of these words")
    parser.add_argument("--processor", action="store_true", help="processor time, where the machine has other work")
    parser.add_argument("--threads", type=int, help="of TensorFlow's operations; 1 takes the noise of threads away")
    given = parser.parse_args()
    if given.repeats < LEAST_PAIRS:
        parser.error(f"--repeats: expected at least {LEAST_PAIRS}, got {given.repeats}.")
    if given.threads:
        # XLA's update and NumPy's products have threads of their own.
        for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(given.threads)
    key = "processor" if given.processor else "wall"
    slower = []
    with tempfile.TemporaryDirectory(prefix="dltrain-guard-") as name:
        folder = Path(name)
        write_tables(folder)
        with checkout(given.before, folder / "before") as before, checkout(given.after, folder / "after") as after:
            sides = (before, after)
            for place in sides:
                run_once(place, ["dataset=titanic", "trainer.epochs=2", *QUIET, f"hydra.run.dir={place}_run"], folder)
            held = round(100 * interval([(1.0, 1.0)] * given.repeats)[3])
            print(
                f"{key} time of {given.after} in that of {given.before}, {given.repeats} pairs each; the intervals "
                f"hold the median in {held} of 100 cases",
                flush=True,
            )
            for title, words in WORKLOADS.items():
                if given.only and not any(word in title for word in given.only):
                    continue
                taken = pairs(words, sides, folder, given.repeats, key)
                middle, low, high, _ = interval(taken)
                median = " and ".join(f"{np.median([pair[side] for pair in taken]):.2f} s" for side in (0, 1))
                told = "slower" if middle > LIMIT and low > 1 else ""
                print(f"  {title:36} {middle:.3f} ({low:.3f} to {high:.3f})  {median}  {told}", flush=True)
                slower += [title] if told else []
    sys.exit(1 if slower else 0)


@contextmanager
def checkout(commit: str, place: Path) -> Iterator[Path]:
    """The files of a commit in a directory."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(place), commit], check=True)
    try:
        yield place
    finally:
        subprocess.run([*git, "remove", "--force", str(place)], check=True)


def write_tables(folder: Path) -> None:
    random = np.random.default_rng(0)
    for name, rows, columns in (("tall", 48_000, 14), ("wide", 1_000, 1_000)):
        numbers = random.standard_normal((rows, columns)).round(4)
        answer = np.where(numbers[:, 0] - numbers[:, 1] + random.standard_normal(rows) > 0, "yes", "no")
        frame = pd.DataFrame(numbers, columns=[f"x{place}" for place in range(columns)])
        frame.assign(y=answer).to_csv(folder / f"{name}.csv", index=False)
    rows = 200_000
    passengers = {"pclass": random.integers(1, 4, rows), "sex": random.choice(["male", "female"], rows)}
    passengers |= {"age": random.integers(1, 80, rows), "sibsp": random.integers(0, 3, rows)}
    passengers |= {"parch": random.integers(0, 3, rows), "fare": random.random(rows).round(2) * 50}
    pd.DataFrame({**passengers, "embarked": random.choice(["S", "C", "Q"], rows)}).to_csv(
        folder / "many.csv", index=False
    )


def pairs(
    words: list[str], sides: tuple[Path, Path], folder: Path, repeats: int, key: str
) -> list[tuple[float, float]]:
    """Seconds of a command by the code of both sides, so many times in turn, after one time that fills the caches."""
    taken = []
    for repeat in range(repeats + 1):
        order = sides if repeat % 2 else sides[::-1]
        seconds = {side: run_once(side, words, folder)[key] for side in order}
        taken.append((seconds[sides[0]], seconds[sides[1]]))
    return taken[1:]


def run_once(side: Path, words: list[str], folder: Path) -> dict[str, float]:
    """Runs a command with the code of one side; its caches are its own."""
    out = tempfile.mkdtemp(dir=folder) + "/out"
    environment = {**os.environ, "PYTHONPATH": str(side), "DLTRAIN_DATA_DIR": f"{side}_cache"}
    command = [word.replace("@OUT", out).replace("@RUN", f"{side}_run") for word in words]
    done = subprocess.run(
        [sys.executable, "-c", PARENT, sys.executable, "-m", "dltrain", *command],
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    if found["error"]:
        sys.exit(f"dltrain {' '.join(command)} by {side.name}: {found['error']}")
    return found


def interval(taken: list[tuple[float, float]]) -> tuple[float, float, float, float]:
    """The median of the ratios, after to before, its bounds, and how often such bounds hold the true median.

    Each ratio is above the true median in half of the cases, whatever the noise is. So the bounds are the k-th ratios
    from both ends, with the largest k that holds it often enough; where too few ratios do, there are none.
    """
    ratios = sorted(after / before for before, after in taken)
    held = [1 - 2 * float(stats.binom.cdf(place, len(ratios), 0.5)) for place in range((len(ratios) + 1) // 2)]
    middle, enough = float(np.median(ratios)), [place for place, share in enumerate(held) if share >= COVERAGE]
    if not enough:
        return middle, 0.0, math.inf, 1.0
    return middle, ratios[enough[-1]], ratios[-1 - enough[-1]], held[enough[-1]]


if __name__ == "__main__":
    main()
