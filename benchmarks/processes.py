"""Whole processes that train the same network on Titanic, in turn: `benchmarks/peers.py --processes`."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
# A child's memory is known to its parent alone, so that each has a parent of its own.
PARENT = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
wall = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
error = done.stderr.strip().splitlines()[-1:] if done.returncode else []
print(json.dumps({"wall": wall, "processor": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss, "error": error}))
"""


def table(path: Path) -> None:
    """The passengers as dltrain has them, for the others to read."""
    from dltrain.data import titanic

    dataset = titanic.load(name="titanic", path=None, target="survived", engineered=False)
    columns = {name: np.where(cells == "", None, cells) if cells.dtype == object else cells
               for name, cells in dataset.columns.items()}  # fmt: skip
    pd.DataFrame({**columns, **dataset.target}).to_csv(path, index=False)


def commands(folder: Path, torch_python: str | None, epochs: int) -> dict[str, list[str]]:
    own = [sys.executable, "-m", "dltrain", "dataset=titanic", f"trainer.epochs={epochs}", "quiet=true"]
    # All epochs, as the others train them.
    own += ["~callbacks.early_stopping", f"hydra.run.dir={folder}/run_${{now:%H-%M-%S-%f}}"]
    script = [str(folder / "titanic.csv"), str(folder / "model"), str(epochs)]
    found = {
        "import tensorflow": [sys.executable, "-c", "import tensorflow"],
        "dltrain": own,
        # No network was trained before on this machine: its graphs are traced.
        "dltrain, first": ["sh", "-c", 'DLTRAIN_DATA_DIR=$(mktemp -d) exec "$@"', "sh", *own],
        "dltrain, no report and TensorBoard": [*own, "report=false", "~callbacks.tensorboard"],
        "Keras script": [sys.executable, str(HERE / "keras_script.py"), *script],
    }
    if torch_python:
        found["PyTorch Tabular"] = [torch_python, str(HERE / "tabular_script.py"), *script]
    return found


def compare(repeats: int, torch_python: str | None, epochs: int) -> None:
    """Prints wall, processor and memory of each, and the ratios to dltrain's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table(folder / "titanic.csv")
        named = commands(folder, torch_python, epochs)
        found: dict[str, list[dict[str, Any]]] = {each: [] for each in named}
        for _ in range(repeats):
            for each, command in named.items():
                done = subprocess.run(
                    [sys.executable, "-c", PARENT, *command], capture_output=True, text=True, cwd=folder
                )
                found[each].append(json.loads(done.stdout))
    ours = statistics.median(one["wall"] for one in found["dltrain"])
    print(f"titanic, 1,309 rows, {epochs} epochs, whole processes, {repeats} times each in turn")
    for each, taken in found.items():
        if taken[-1]["error"]:
            print(f"  {each:36} failed: {taken[-1]['error']}")
            continue
        wall, processor, memory = (
            statistics.median(one[key] for one in taken) for key in ("wall", "processor", "memory")
        )
        least, most = min(one["wall"] for one in taken), max(one["wall"] for one in taken)
        print(
            f"  {each:36} {wall:6.2f} s ({least:.2f} to {most:.2f}), dltrain takes {ours / wall:.2f} of it; "
            f"processor {processor:6.2f} s, memory {memory / 1024:,.0f} MB"
        )
    if not torch_python:
        print("  PyTorch Tabular                      left out: no --torch-python was given")
