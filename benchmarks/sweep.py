"""A sweep in one warm process: its time against Keras' `fit`, and its memory over many jobs.

    python benchmarks/sweep.py [--epochs 50] [--jobs 12] [--memory-jobs 0]

Trains 4 optimizers x 3 regularizers on Titanic (with --jobs 3, 6 or 9 fewer optimizers), first as a sweep (its whole
command, without the import of TensorFlow), then the same networks on the same preprocessed rows with `fit`, and
prints both times and the ratio. With --memory-jobs it then runs so many short jobs in one process and prints the
memory after the third and after the last.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from dltrain import tensorflow_quietly

tensorflow_quietly.load()

import keras  # noqa: E402
import numpy as np  # noqa: E402

from dltrain.checkup.subject import Notes  # noqa: E402
from dltrain.cli import main as dltrain  # noqa: E402
from dltrain.config.compose import compose  # noqa: E402
from dltrain.data.load import load_dataset  # noqa: E402
from dltrain.experiment import assemble  # noqa: E402
from dltrain.sweep.memory import resident_megabytes  # noqa: E402

OPTIMIZERS = ("adam", "sgd", "rmsprop", "adagrad")
REGULARIZERS = ("none", "l1", "l2")


def sweep_seconds(*words: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        code = dltrain(["-m", *words, "dataset=titanic", "quiet=true", f"hydra.sweep.dir={folder}/sweep"])
        assert code == 0
        return time.perf_counter() - began


def fit_seconds(optimizers: Sequence[str], epochs: int) -> float:
    began = time.perf_counter()
    for optimizer, regularizer in itertools.product(optimizers, REGULARIZERS):
        config = compose(["dataset=titanic", f"optimizer={optimizer}", f"regularizer={regularizer}"])
        journal: Any = Notes([])
        keras.utils.set_random_seed(config.seed)
        made = assemble(config, load_dataset(config.dataset, journal), journal)
        parts = []
        for part in ("train", "validation"):
            source = made.data.source(part)
            block = next(iter(source.blocks(np.arange(source.rows), made.batch_size)))
            parts.append((block.features, block.targets))
        (x, y), validation = parts
        made.network.fit(x, y, batch_size=made.batch_size, epochs=epochs, validation_data=validation, verbose=0)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--jobs", type=int, choices=(3, 6, 9, 12), default=12)
    parser.add_argument("--memory-jobs", type=int, default=0)
    given = parser.parse_args()
    optimizers = OPTIMIZERS[: given.jobs // len(REGULARIZERS)]
    # All epochs are trained, as `fit` does.
    grid = [f"optimizer={','.join(optimizers)}", f"regularizer={','.join(REGULARIZERS)}", "~callbacks.early_stopping"]
    sweep = sweep_seconds(*grid, f"trainer.epochs={given.epochs}")
    fit = fit_seconds(optimizers, given.epochs)
    print(f"{given.jobs} jobs, {given.epochs} epochs: sweep {sweep:.1f} s, fit {fit:.1f} s")
    print(f"ratio {sweep / fit:.2f} (wanted <= 0.20)")
    if given.memory_jobs:
        sweep_seconds("seed=1,2,3", "trainer.epochs=2")
        settled = resident_megabytes()
        sweep_seconds(f"seed=range(0,{given.memory_jobs})", "trainer.epochs=2")
        last = resident_megabytes()
        print(
            f"{given.memory_jobs} jobs in one process: {settled:.0f} MB, then {last:.0f} MB, "
            f"{last / settled:.2f} times (wanted <= 1.3; the command itself goes on in a fresh process at 1.25)"
        )


if __name__ == "__main__":
    main()
