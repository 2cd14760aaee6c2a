"""Twelve trainings as a sweep against the same twelve as a plain Keras script with `fit`, both in one process.

    DLTRAIN_TEST_DATA=DIR python benchmarks/sweep.py [--epochs 50] [--jobs 12] [--first] [--memory-jobs 200]

Trains Titanic with four optimizers and three regularizers (--jobs 3, 6 or 9: fewer optimizers), first as a sweep (its
whole command, whose workers import TensorFlow), then the same networks on the same preprocessed rows with `fit`,
without an import, and prints both times, by the wall and of the processor, and the ratios. Graphs that an earlier
process has kept are read, and with --first all are traced. With --memory-jobs it then runs so many short jobs in one
process and prints the memory after the tenth and after the last, and how long the first and the last ten took.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from dltrain.config.compose import Composer
from dltrain.internals import tensorflow_quietly

tensorflow_quietly.load(Composer().compose(["dataset=titanic"]))

import keras  # noqa: E402
import numpy as np  # noqa: E402
from fresh import Silent, as_the_first_process  # noqa: E402

from dltrain.cli.main import main as dltrain  # noqa: E402
from dltrain.data.storage import data_directory  # noqa: E402
from dltrain.experiment.experiment import assemble, pose  # noqa: E402
from dltrain.experiment.stages import load_dataset  # noqa: E402
from dltrain.sweeps import memory  # noqa: E402
from dltrain.sweeps.ledger import Ledger  # noqa: E402

OPTIMIZERS = ("adam", "sgd", "rmsprop", "adagrad")
REGULARIZERS = ("none", "l1", "l2")


@dataclass(frozen=True)
class Clock:
    """Seconds by the wall and of the processor."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> Clock:
        times = os.times()
        return cls(time.perf_counter(), times.user + times.system + times.children_user + times.children_system)

    def __sub__(self, other: Clock) -> Clock:
        return Clock(self.wall - other.wall, self.processor - other.processor)


def sweep(*words: str) -> tuple[Clock, list[float]]:
    """What a sweep took, and the seconds of each of its jobs."""
    with tempfile.TemporaryDirectory() as folder:
        began = Clock.now()
        code = dltrain(["-m", *words, "dataset=titanic", "quiet=true", f"hydra.sweep.dir={folder}/sweep"])
        assert code == 0
        forkserver._forkserver._stop()  # so that the time of its workers counts
        taken = Clock.now() - began
        return taken, [entry.seconds or 0.0 for entry in Ledger(Path(folder, "sweep")).entries()]


def fit(optimizers: Sequence[str], epochs: int) -> Clock:
    """What the same trainings take with `fit`, one after another."""
    began = Clock.now()
    for optimizer, regularizer in itertools.product(optimizers, REGULARIZERS):
        config = Composer().compose(["dataset=titanic", f"optimizer={optimizer}", f"regularizer={regularizer}"])
        journal: Any = Silent()
        keras.utils.set_random_seed(config.seed)
        made = assemble(config, pose(config, load_dataset(config.dataset, journal), journal, []), journal)
        parts = []
        for part in ("train", "validation"):
            source = made.data.source(part)
            block = next(iter(source.blocks(np.arange(source.rows), made.batch_size)))
            parts.append((block.features, block.targets))
        (x, y), validation = parts
        made.network.fit(x, y, batch_size=made.batch_size, epochs=epochs, validation_data=validation, verbose=0)
    return Clock.now() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--jobs", type=int, choices=(3, 6, 9, 12), default=12)
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--memory-jobs", type=int, default=0)
    given = parser.parse_args()
    optimizers = OPTIMIZERS[: given.jobs // len(REGULARIZERS)]
    # All epochs are trained, as `fit` does.
    grid = [f"optimizer={','.join(optimizers)}", f"regularizer={','.join(REGULARIZERS)}", "~callbacks.early_stopping"]
    with as_the_first_process() if given.first else nullcontext():
        kept = len(list(data_directory().glob("graphs/*")))
        swept, _ = sweep(*grid, f"trainer.epochs={given.epochs}")
        print(f"graphs that were traced: {len(list(data_directory().glob('graphs/*'))) - kept}")
    fitted = fit(optimizers, given.epochs)
    for name, ours, theirs in (("wall", swept.wall, fitted.wall), ("processor", swept.processor, fitted.processor)):
        print(f"{given.jobs} jobs, {given.epochs} epochs, {name}: sweep {ours:.1f} s, fit {theirs:.1f} s", end=", ")
        print(f"ratio {ours / theirs:.2f} (wanted <= 0.11)")
    if given.memory_jobs:
        memory._levels.clear()
        _, seconds = sweep(f"seed=range(0,{given.memory_jobs})", "trainer.epochs=2", "hydra.launcher.workers=1")
        settled, last = memory._levels[min(9, len(memory._levels) - 1)], memory._levels[-1]
        print(
            f"{given.memory_jobs} jobs in one process: {settled:.0f} MB after the tenth, {last:.0f} MB after the last, "
            f"{last / settled:.2f} times (wanted <= 1.3; the command itself goes on in a fresh process at "
            f"{memory.MOST_GROWTH} times the level after job {memory.WARM_UP_JOBS})"
        )
        print(f"ten jobs: the first {sum(seconds[:10]):.1f} s, the last {sum(seconds[-10:]):.1f} s")


if __name__ == "__main__":
    main()
