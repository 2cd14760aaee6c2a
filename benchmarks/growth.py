"""How a run's time and memory grow with the rows of a Parquet table: both engines, each in a process of its own.

    python benchmarks/growth.py [--rows 1000 10000 100000 1000000] [--columns 20] [OVERRIDE ...]

Prints, for two epochs in batches of 512, the whole process, an epoch with its validation, the training rows a second,
and the greatest resident memory; then how the streaming engine's pace compares with the resident one's. OVERRIDE
changes the config of all runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

AT_ONCE = 1_000_000
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
    for first in range(0, rows, AT_ONCE):
        count = min(AT_ONCE, rows - first)
        numbers = generator.standard_normal((count, columns))
        cells = {f"x{place}": numbers[:, place] for place in range(columns)}
        answers = numbers[:, 0] - numbers[:, 1] + generator.standard_normal(count) > 0
        table = pa.table({**cells, "target": np.where(answers, "yes", "no")})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    given, overrides = parser.parse_known_args()
    print(f"{'rows':>10}  {'engine':9}  {'process':>9}  {'epoch':>9}  {'rows a second':>13}  {'memory':>9}")
    for rows in given.rows:
        paces = {}
        with tempfile.TemporaryDirectory() as folder:
            table, run = Path(folder, "table.parquet"), Path(folder, "run")
            write_table(table, rows, given.columns)
            for engine in given.engines:
                words = [f"dataset.path={table}", f"trainer.engine={engine}", f"hydra.run.dir={run}/{engine}"]
                command = [sys.executable, "-m", "dltrain", *WORDS, *words, *overrides]
                began = time.perf_counter()
                done = subprocess.run([sys.executable, "-c", PARENT, *command], capture_output=True, text=True)
                seconds = time.perf_counter() - began
                code, memory = map(int, done.stdout.split())
                if code:
                    print(f"{rows:10,}  {engine:9}  failed: {done.stderr.strip().splitlines()[-1:]}")
                    continue
                facts = json.loads((run / engine / "run.json").read_text())
                epoch = facts["seconds_per_epoch"]
                paces[engine] = facts["steps_per_epoch"] * facts["batch_size"] / epoch
                print(
                    f"{rows:10,}  {engine:9}  {seconds:7.1f} s  {epoch:7.3f} s  {paces[engine]:13,.0f}  "
                    f"{memory / 1024:6,.0f} MB"
                )
        if len(paces) == len(ENGINES):
            print(f"{'':10}  streaming trains {paces['streaming'] / paces['resident']:.2f} times as many rows a second")


if __name__ == "__main__":
    main()
