"""What `dltrain.train` costs beyond the experiment that it runs, in a process that is warm.

    python benchmarks/api.py [--repeats 10] [OVERRIDE ...]

Prints the milliseconds of each call outside of `experiment.run.run_job`: of the clock, and of this process' CPU, which
other work on the machine lengthens less. The median leaves out the first two calls.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import dltrain
from dltrain.internals import tensorflow_quietly

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--repeats", type=int, default=10)
parser.add_argument("overrides", nargs="*")
arguments = parser.parse_args()
tensorflow_quietly.load()

from dltrain.experiment import run  # noqa: E402

WARM_UP = 2


def main() -> None:
    inside: list[tuple[float, float]] = []
    run_job = run.run_job

    def timed(*given: Any, **named: Any) -> float:
        wall, cpu = time.perf_counter(), time.process_time()
        result = run_job(*given, **named)
        inside.append((time.perf_counter() - wall, time.process_time() - cpu))
        return result

    run.run_job = timed
    beyond: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(WARM_UP + arguments.repeats):
            wall, cpu = time.perf_counter(), time.process_time()
            dltrain.train("trainer.epochs=20", *arguments.overrides, directory=Path(folder, str(number)))
            whole = time.perf_counter() - wall, time.process_time() - cpu
            beyond.append((1_000 * (whole[0] - inside[-1][0]), 1_000 * (whole[1] - inside[-1][1])))
            clock, cpu_time = beyond[-1]
            print(f"run {number}: {whole[0]:.2f} s, beyond the experiment {clock:.0f} ms ({cpu_time:.0f} ms CPU)")
    clock, cpu_time = (statistics.median(each) for each in zip(*beyond[WARM_UP:], strict=True))
    print(f"median {clock:.0f} ms of the clock, {cpu_time:.0f} ms of the CPU")


if __name__ == "__main__":
    main()
