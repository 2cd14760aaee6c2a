"""How a run's time and memory grow with rows and columns of a Parquet table, and a sweep's with its jobs.

    python benchmarks/growth.py [--rows 1000 10000 100000 1000000] [--columns 20] [--engines streaming] [OVERRIDE ...]
    python benchmarks/growth.py --rows 1000 --columns 10 100 1000 10000
    python benchmarks/growth.py --rows --jobs 1 10 50 200

Every run is a process of its own. Prints, for two epochs in batches of 512, the whole process, an epoch with its
validation, the training rows a second, and the greatest resident memory; then how the streaming engine's pace compares
with the resident one's. OVERRIDE changes the config of all runs on tables.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dltrain.sweeps.ledger import Ledger

CELLS_AT_ONCE = 20_000_000
ENGINES = ("resident", "streaming")
WORDS = (
    "dataset=csv",
    "dataset.target=target",
    "task=binary",
    "trainer.epochs=2",
    "trainer.batch_size=512",
    "checks=none",
    "report=false",
    "quiet=true",
    "score_test=never",
)
# The memory of a finished child is known to its parent alone, so that each run has a parent of its own.
PARENT = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def write_table(path: Path, rows: int, columns: int) -> None:
    """Numbers, of which the first two decide on the target; in pieces, so that any number of rows fits."""
    generator = np.random.default_rng(0)
    writer = None
    at_once = max(1, CELLS_AT_ONCE // columns)
    for first in range(0, rows, at_once):
        count = min(at_once, rows - first)
        numbers = generator.standard_normal((count, columns))
        cells = {f"x{place}": numbers[:, place] for place in range(columns)}
        answers = numbers[:, 0] - numbers[:, 1] + generator.standard_normal(count) > 0
        table = pa.table({**cells, "target": np.where(answers, "yes", "no")})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def measured(command: list[str]) -> tuple[float, float, str]:
    """Seconds and MB of a process, and the last line of its fault, if it failed."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PARENT, *command], capture_output=True, text=True)
    code, memory = map(int, done.stdout.split())
    return time.perf_counter() - began, memory / 1024, done.stderr.strip().splitlines()[-1] if code else ""


def compare_engines(rows: int, columns: int, engines: Sequence[str], overrides: Sequence[str]) -> None:
    paces = {}
    with tempfile.TemporaryDirectory() as folder:
        table, run = Path(folder, "table.parquet"), Path(folder, "run")
        write_table(table, rows, columns)
        for engine in engines:
            words = [f"dataset.path={table}", f"trainer.engine={engine}", f"hydra.run.dir={run}/{engine}"]
            seconds, memory, fault = measured([sys.executable, "-m", "dltrain", *WORDS, *words, *overrides])
            if fault:
                print(f"{rows:10,}  {columns:7,}  {engine:9}  failed: {fault}")
                continue
            facts = json.loads((run / engine / "run.json").read_text())
            epoch = facts["seconds_per_epoch"]
            paces[engine] = facts["data"]["parts"]["train"] / epoch
            print(
                f"{rows:10,}  {columns:7,}  {engine:9}  {seconds:7.1f} s  {epoch:7.3f} s  {paces[engine]:13,.0f}  "
                f"{memory:6,.0f} MB",
                flush=True,
            )
    if len(paces) == len(ENGINES):
        print(f"{'':10}  streaming trains {paces['streaming'] / paces['resident']:.2f} times as many rows a second")


def many_jobs(jobs: int) -> None:
    """A sweep of short jobs in one process: what each costs beside the start, and whether the last ones cost more."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", "dataset=titanic", "trainer.epochs=2", "quiet=true", "report=false", f"hydra.sweep.dir={folder}"]
        seconds, memory, fault = measured([sys.executable, "-m", "dltrain", *words, f"seed=range(0,{jobs})"])
        each = [entry.seconds or 0.0 for entry in Ledger(Path(folder)).entries()]
    tens = f"the first ten {sum(each[:10]):.1f} s, the last ten {sum(each[-10:]):.1f} s" if jobs >= 20 else ""
    print(f"{jobs:4} jobs  {seconds:7.1f} s  {memory:6,.0f} MB  {tens}{fault}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--columns", type=int, nargs="+", default=[20])
    parser.add_argument("--jobs", type=int, nargs="*", default=[])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    given, overrides = parser.parse_known_args()
    head = f"{'rows':>10}  {'columns':>7}  {'engine':9}  {'process':>9}  {'epoch':>9}  {'rows a second':>13}"
    print(f"{head}  {'memory':>9}")
    for columns in given.columns:
        for rows in given.rows:
            compare_engines(rows, columns, given.engines, overrides)
    for jobs in given.jobs:
        many_jobs(jobs)


if __name__ == "__main__":
    main()
