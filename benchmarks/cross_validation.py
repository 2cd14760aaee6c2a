"""Five folds against one training of the same epochs, and side by side against one after another; in one process.

    python benchmarks/cross_validation.py [--epochs 60] [--repeats 3] [OVERRIDE ...]

Every measurement begins without traced graphs, assembles its data and networks, trains and scores. Prints seconds, the
ratios, and whether the folds gave the same numbers as alone.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from dltrain.internals import tensorflow_quietly

tensorflow_quietly.load()

import fresh  # noqa: E402
import numpy as np  # noqa: E402
from omegaconf import OmegaConf  # noqa: E402
from rich.console import Console  # noqa: E402

from dltrain.config.compose import Composer  # noqa: E402
from dltrain.config.seed import Seed  # noqa: E402
from dltrain.data.folds import make_folds  # noqa: E402
from dltrain.experiment.cross_validation import train_folds  # noqa: E402
from dltrain.experiment.experiment import draw, pose  # noqa: E402
from dltrain.experiment.stages import load_dataset, split_constraints  # noqa: E402
from dltrain.record.run_directory import RunDirectory  # noqa: E402


class Silent(fresh.Silent):
    """Its files go into a folder that is thrown away."""

    quiet = True
    resumes = False
    console = live = Console(quiet=True)

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.changed: dict[str, int] = {}

    def training_begins(self) -> None:
        pass

    def epoch(self, *_: object) -> None:
        pass

    def seconds_per_epoch(self, *_: object) -> None:
        pass

    @property
    def directory(self) -> RunDirectory:
        return RunDirectory(self.path)

    def part(self, name: str) -> Silent:
        (self.path / name).mkdir(parents=True, exist_ok=True)
        return Silent(self.path / name)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("overrides", nargs="*")
    arguments = parser.parse_args()
    fixed = ["cv=kfold", f"trainer.epochs={arguments.epochs}", "~callbacks.early_stopping"]
    config = Composer().compose([*fixed, *arguments.overrides])
    OmegaConf.set_struct(config, False)
    root = Path(tempfile.mkdtemp())
    journal: Any = Silent(root)
    problem = draw(config, pose(config, load_dataset(config.dataset, journal), journal, []), journal)
    rows = np.arange(len(problem.dataset))
    source = split_constraints(problem.dataset, problem.target)
    folds = make_folds(config.cv, source, rows, validation=0.1, seed=Seed.of(config))

    def timed(*batches: Any) -> tuple[tuple[float, float], list[Any]]:
        """Seconds by the wall and of the CPU for the batches, one after another, each from untraced graphs."""
        began, used, found = time.perf_counter(), time.process_time(), []
        for batch in batches:
            fresh.as_a_later_process()
            found += train_folds(config, problem, batch, journal)
        return (time.perf_counter() - began, time.process_time() - used), found

    seconds: dict[str, list[tuple[float, float]]] = {
        "one fold": [],
        "all, one after another": [],
        "all, side by side": [],
    }
    identical = True
    timed(folds[:1])  # TensorFlow's own first time
    for _ in range(arguments.repeats):
        seconds["one fold"].append(timed(folds[:1])[0])
        taken, together = timed(folds)
        seconds["all, side by side"].append(taken)
        taken, alone = timed(*([fold] for fold in folds))
        seconds["all, one after another"].append(taken)
        identical &= all(
            one.scores == other.scores and np.array_equal(one.answers["network"], other.answers["network"])
            for one, other in zip(together, alone, strict=True)
        )
    print(f"{problem.dataset.name}: {len(folds)} folds, {arguments.epochs} epochs, {arguments.repeats} times in turn")
    for place, clock in enumerate(("wall", "CPU")):
        middle = {name: statistics.median(each[place] for each in taken) for name, taken in seconds.items()}
        for name, taken in seconds.items():
            each = ", ".join(f"{seconds_of[place]:.2f}" for seconds_of in taken)
            ratio = middle[name] / middle["one fold"]
            print(f"{name:>23}  median {middle[name]:6.2f} s {clock}, {ratio:.2f} times one fold  ({each})")
    print(f"same numbers alone and side by side: {identical}")


if __name__ == "__main__":
    main()
