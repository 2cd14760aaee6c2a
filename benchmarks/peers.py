"""Trainings of the same networks by dltrain and by what people would otherwise use, in turn in one run.

    DLTRAIN_TEST_DATA=DIR python benchmarks/peers.py [--only titanic wine] [--repeats 3] [--torch-python PYTHON]
    python benchmarks/peers.py --processes [--repeats 3] [--torch-python PYTHON]

All train the network of the workload with Adam in batches of 32 for the same epochs, on the same preprocessed rows, and
take loss and accuracy (of a quantity the loss) on the validation rows after each. Printed are the seconds of the whole
training, tracing and compilation included, their spread (least to most), the processor's time, an epoch after the
first, and seconds and epoch in relation to dltrain's; then what dltrain's other phases take. With
TF_NUM_INTRAOP_THREADS=1 all have one thread. The bare step is Keras' own, compiled, in a loop that does nothing
beside. scikit-learn's network has no batch normalization and no dropout.
PyTorch runs in the environment of PYTHON. With --processes whole processes are compared instead.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import processes
from workloads import WORKLOADS, Workload, words_of

from dltrain.config.compose import Composer
from dltrain.internals import tensorflow_quietly

BEFORE_TENSORFLOW = time.perf_counter()
tensorflow_quietly.load(Composer().compose(["dataset=titanic"]))

import keras  # noqa: E402
import numpy as np  # noqa: E402
from contenders import Contenders, Ends, Taken  # noqa: E402
from fresh import Silent, as_the_first_process  # noqa: E402

from dltrain.base.errors import DltrainError  # noqa: E402
from dltrain.engine.engine import Engine  # noqa: E402
from dltrain.experiment.experiment import Experiment, assemble, pose  # noqa: E402
from dltrain.experiment.stages import load_dataset  # noqa: E402
from dltrain.models.network import artifact  # noqa: E402

IMPORTED = time.perf_counter() - BEFORE_TENSORFLOW


def compare(
    name: str, repeats: int, torch_python: str | None, folder: Path, epochs: int | None, without: list[str]
) -> None:
    """Trains a workload with everybody in turn, and prints the table and dltrain's phases."""
    config, journal = Composer().compose(words_of(name, folder)), Silent()
    clock = [time.perf_counter()]
    try:
        dataset = load_dataset(config.dataset, journal)  # type: ignore[arg-type]
    except DltrainError as error:
        print(f"\n{name}: left out, {error}")
        return
    clock.append(time.perf_counter())

    def assembled() -> Experiment:
        keras.utils.set_random_seed(config.seed)
        return assemble(config, pose(config, dataset, journal, []), journal)  # type: ignore[arg-type]

    made = assembled()
    clock.append(time.perf_counter())
    workload = Workload.of(made, epochs or WORKLOADS[name][1], config.seed)
    contenders = Contenders(assembled, workload, torch_python, folder)
    contenders.left_out |= dict.fromkeys(without, "--without")
    found: dict[str, list[Taken]] = {each: [] for each in contenders.named}
    for _ in range(repeats):
        for each, train in contenders.named.items():
            if each in contenders.left_out or (each == "PyTorch compiled" and found[each]):
                continue  # which takes half a minute to compile, so that it trains in the first round alone
            processor = time.process_time()
            taken = train()
            taken.setdefault("processor", time.process_time() - processor)
            if "failed" in taken:
                contenders.left_out[each] = str(taken["failed"])
            else:
                found[each].append(taken)
    contenders.close()
    rows = {part: len(y) for part, (_, y) in workload.parts.items()}
    counts = f"{rows['train']:,} + {rows['validation']:,} rows, {workload.epochs} epochs"
    print(f"\n{name}: {counts}, load {os.getloadavg()[0]:.1f}", flush=True)
    show(found)
    for each, reason in contenders.left_out.items():
        print(f"  {each:18} left out: {reason}")
    phases(made, workload, clock)


def show(found: dict[str, list[Taken]]) -> None:
    """Prints a line for each contender: medians, the spread, and ratios to dltrain's."""
    ours = {key: statistics.median(taken[key] for taken in found["dltrain"]) for key in ("seconds", "epoch")}
    print(
        f"  {'':18} {'seconds':>9} {'(spread)':>17} {'ratio':>7} {'processor':>9} {'epoch':>10} {'ratio':>7} "
        f"{'loss':>8} {'valid.':>8}"
    )
    for each, taken in found.items():
        if not taken:
            continue
        all_seconds = [one["seconds"] for one in taken]
        seconds, epoch = statistics.median(all_seconds), statistics.median(one["epoch"] for one in taken)
        spread = f"({min(all_seconds):.2f} to {max(all_seconds):.2f})"
        print(
            f"  {each:18} {seconds:9.3f} {spread:>17} {seconds / ours['seconds']:7.2f} "
            f"{statistics.median(one['processor'] for one in taken):9.2f} {epoch * 1e3:7.1f} ms "
            f"{epoch / ours['epoch']:7.2f} {taken[-1].get('loss', np.nan):8.4f} "
            f"{taken[-1].get('val_loss', np.nan):8.4f}"
        )


def phases(made: Experiment, workload: Workload, clock: list[float]) -> None:
    """What dltrain's phases take, each once."""
    ends, train, validation = Ends(), made.data.source("train"), made.data.source("validation")
    engine = Engine(made.network, batch_size=made.batch_size, shuffle=True, seed=workload.seed)
    began = time.perf_counter()
    with as_the_first_process():
        engine.train(train, validation, epochs=3, callbacks=[ends])
    epoch = min(np.diff(ends.times))
    evaluated = time.perf_counter()
    engine.evaluate(train)
    answered = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        artifact(made.data.preprocessing, made.network).save(Path(folder, "model.keras"))
    told = {
        "start (import)": IMPORTED,
        "load": clock[1] - clock[0],
        "preprocess, build": clock[2] - clock[1],
        "trace": ends.times[0] - began - epoch,
        "an epoch": epoch,
        "evaluate train": answered - evaluated,
        "write model": time.perf_counter() - answered,
    }
    print("  dltrain's phases: " + ", ".join(f"{name} {seconds:.3f} s" for name, seconds in told.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--torch-python", metavar="PYTHON")
    parser.add_argument("--without", nargs="+", metavar="WHO", default=[], help="contenders to leave out")
    parser.add_argument("--processes", action="store_true")
    given = parser.parse_args()
    if given.processes:
        processes.compare(given.repeats, given.torch_python, given.epochs or 50)
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in given.only:
            compare(name, given.repeats, given.torch_python, Path(folder), given.epochs, given.without)


if __name__ == "__main__":
    main()
