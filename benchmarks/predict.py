"""Memory and speed of `dltrain predict` on a large CSV, beside the bare Keras model on the same rows.

    python benchmarks/predict.py --rows 5000000

Trains one epoch on 20,000 made-up rows, writes a CSV of so many rows, predicts a tenth of it and then all of it, and
has the bare model go through the same rows in two ways: `model.predict` on arrays that are in memory already (and the
same in a graph), which neither reads nor writes, and from file to file with pandas around `model.predict`. All in turn,
in a process each, so many times; the medians, by the clock and in processor time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

PREDICT = """
import resource, sys, time
from dltrain.cli import main as cli
from dltrain.internals import tensorflow_quietly
tensorflow_quietly.load()
import dltrain
dltrain.load(sys.argv[1]).answer  # imports are no part of the time
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began, worked = time.perf_counter(), time.process_time()
assert cli.main(["predict", sys.argv[1], "--input", sys.argv[2], "--output", sys.argv[3]]) == 0
seconds, processor = time.perf_counter() - began, time.process_time() - worked
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
import json
print(json.dumps({"seconds": seconds, "processor": processor, "before": before / 1024, "peak": peak / 1024}))
"""
BARE = """
import json, sys, time
from dltrain.internals import tensorflow_quietly
tensorflow_quietly.load()
import keras, numpy as np, pandas as pd, tensorflow as tf
run, piece, file, output, copies, batch = *sys.argv[1:5], *map(int, sys.argv[5:])
model = keras.models.load_model(run + "/model.keras", compile=False)
def to_arrays(frame):
    frame = frame.fillna({name: "" for name in frame if frame[name].dtype == "str"})
    return {name: frame[name].to_numpy(dtype=object if each.dtype == "string" else np.float64)[:, None]
            for name, each in model.input.items()}
arrays = to_arrays(pd.concat([pd.read_csv(piece)] * copies, ignore_index=True))
rows = len(next(iter(arrays.values())))
graph = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)
def in_graph():
    for first in range(0, rows, batch):
        np.asarray(graph({name: tf.constant(cells[first:first + batch]) for name, cells in arrays.items()}))
def in_predict():
    inputs = {name: tf.constant(cells) for name, cells in arrays.items()}
    model.predict(inputs, batch_size=batch, verbose=0)
def from_file_to_file():
    with open(output, "w") as sink:
        for frame in pd.read_csv(file, chunksize=16 * batch):
            inputs = {name: tf.constant(cells) for name, cells in to_arrays(frame).items()}
            yes = model.predict(inputs, batch_size=batch, verbose=0)[:, 0]
            named = pd.DataFrame({"row_id": frame.index, "prediction": np.where(yes > 0.5, "yes", "no"),
                                  "probability_no": 1 - yes, "probability_yes": yes})
            named.to_csv(sink, index=False, header=not sink.tell())
calls = {"model.predict, in memory": in_predict, "graph, in memory": in_graph}
calls["pandas, file to file"] = from_file_to_file
found = {}
for name, call in calls.items():
    began, worked = time.perf_counter(), time.process_time()
    call()
    found[name] = {"seconds": time.perf_counter() - began, "processor": time.process_time() - worked}
print(json.dumps(found))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    rows = given.rows
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        piece = write_piece(root / "piece.csv")
        text = piece.read_text()
        header, _, body = text.partition("\n")
        for name, size in {"tenth.csv": rows // 10, "all.csv": rows}.items():
            with (root / name).open("w") as file:
                file.write(header + "\n")
                for _ in range(max(1, size // 20_000)):
                    file.write(body)
        words = ["dataset=csv", f"dataset.path={piece}", "dataset.target=target", "trainer.epochs=1", "quiet=true"]
        run = root / "run"
        subprocess.run([sys.executable, "-m", "dltrain", *words, f"hydra.run.dir={run}"], check=True)
        copies = max(1, min(rows, 1_000_000) // 20_000)
        taken: dict[str, list[tuple[float, float]]] = {}
        for _ in range(given.repeats):
            for name, size in {"tenth.csv": rows // 10, "all.csv": rows}.items():
                found = call(PREDICT, run, root / name, root / "answers.csv")
                peak = f"peak {found['peak']:,.0f} MB (before the first row {found['before']:,.0f} MB)"
                print(f"dltrain predict  {size:>9,} rows  {found['seconds']:6.1f} s  {peak}")
            taken.setdefault("dltrain predict", []).append((found["seconds"] / rows, found["processor"] / rows))
            bare = call(BARE, run, piece, root / "all.csv", root / "answers.csv", copies, 16_384)
            for name, each in bare.items():
                size = rows if name.endswith("file") else copies * 20_000
                taken.setdefault(name, []).append((each["seconds"] / size, each["processor"] / size))
        print(f"\n{'':26}{'rows/s':>12}{'of dltrain':>12}{'rows/processor s':>18}{'of dltrain':>12}")
        own = [median(part) for part in zip(*taken["dltrain predict"], strict=True)]
        for name, times in taken.items():
            wall, processor = (median(part) for part in zip(*times, strict=True))
            print(
                f"{name:26}{1 / wall:>12,.0f}{own[0] / wall:>12.2f}{1 / processor:>18,.0f}{own[1] / processor:>12.2f}"
            )


def call(script: str, *arguments: object) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def write_piece(path: Path) -> Path:
    import pandas as pd

    generator = np.random.default_rng(0)
    rows = 20_000
    columns = {f"number_{n}": generator.standard_normal(rows).round(4) for n in range(5)}
    columns |= {f"word_{n}": generator.choice(["red", "green", "blue", ""], rows) for n in range(2)}
    target = np.where(columns["number_0"] + (columns["word_0"] == "red") > 0, "yes", "no")
    pd.DataFrame({**columns, "target": target}).to_csv(path, index=False)
    return path


if __name__ == "__main__":
    main()
