"""Training phase of the engine against Keras' `fit`: same model, data, batches and seed, in turn in one process.

    python benchmarks/fit.py [--epochs 100] [--repeats 3] [OVERRIDE ...]

Prints seconds (tracing included), the ratio, and the largest difference between the two histories. Epochs are those of
the config if none are given, and early stopping is left out. TensorFlow's threads are those of a run of the config,
for `fit` too, which they serve as well.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from dltrain.config.compose import Composer
from dltrain.internals import tensorflow_quietly

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int)
parser.add_argument("--repeats", type=int, default=3)
parser.add_argument("overrides", nargs="*")
arguments = parser.parse_args()
config = Composer().compose([*arguments.overrides, "checks=none"])
epochs = arguments.epochs or int(config.trainer.epochs)
tensorflow_quietly.load(config)

import keras  # noqa: E402
from fresh import Silent, as_a_later_process, as_the_first_process  # noqa: E402

from dltrain.engine.engine import Engine  # noqa: E402
from dltrain.experiment.experiment import Experiment, assemble, pose  # noqa: E402
from dltrain.experiment.stages import load_dataset  # noqa: E402


class History(keras.callbacks.Callback):
    """The logs of each epoch."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.epochs: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append(dict(logs))


def main() -> None:
    journal: Any = Silent()
    dataset = load_dataset(config.dataset, journal)

    def assembled() -> Experiment:
        """Ready to train, with the same weights each time."""
        keras.utils.set_random_seed(config.seed)
        return assemble(config, pose(config, dataset, journal, []), journal)

    def engine() -> tuple[float, list[dict[str, float]]]:
        """Seconds and history of dltrain's training."""
        made, history = assembled(), History()
        sources = made.data.source("train"), made.data.source("validation")
        as_a_later_process()
        began = time.perf_counter()
        trained = Engine(made.network, batch_size=made.batch_size, shuffle=False, seed=config.seed)
        trained.train(*sources, epochs=epochs, callbacks=[history])
        return time.perf_counter() - began, history.epochs

    def fit() -> tuple[float, list[dict[str, float]]]:
        """Seconds and history of Keras'."""
        made, history = assembled(), History()
        data = made.data
        parts = {part: (data.features(part), data.truth(part).column) for part in ("train", "validation")}
        began = time.perf_counter()
        made.network.fit(
            *parts["train"],
            validation_data=parts["validation"],
            batch_size=made.batch_size,
            epochs=epochs,
            shuffle=False,
            callbacks=[history],
            verbose=0,
        )
        return time.perf_counter() - began, history.epochs

    seconds: dict[str, list[float]] = {"engine, first process": [], "engine, later": [], "fit": []}
    for _ in range(arguments.repeats):
        with as_the_first_process():
            seconds["engine, first process"].append(engine()[0])
        if not seconds["engine, later"]:
            engine()  # writes the graphs that the next ones read
        taken, ours = engine()
        seconds["engine, later"].append(taken)
        taken, theirs = fit()
        seconds["fit"].append(taken)
    difference = max(abs(a[name] - b[name]) for a, b in zip(ours, theirs, strict=True) for name in b)
    rows = assembled().data.source("train").rows
    print(f"{dataset.name}: {rows} train rows, {epochs} epochs, {arguments.repeats} times each in turn")
    fit_takes = statistics.median(seconds["fit"])
    for name, taken_each in seconds.items():
        middle, each = statistics.median(taken_each), ", ".join(f"{one:.2f}" for one in taken_each)
        print(f"{name:>21}  median {middle:7.2f} s, 1/{fit_takes / middle:.1f} of fit's  ({each})")
    print(f"largest difference between the histories: {difference:.3g}")


if __name__ == "__main__":
    main()
