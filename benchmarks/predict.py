"""Memory and speed of `dltrain predict` on a large CSV, beside the bare Keras model on the same rows in memory.

    python benchmarks/predict.py --rows 5000000

Trains one epoch on 20,000 made-up rows, writes a CSV of so many rows, predicts it twice (a tenth of it, then all of it)
in a process each, and has `model.predict`, and the model in a graph, go through the same rows as arrays.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

PREDICT = """
import resource, sys, time
from dltrain import cli, tensorflow_quietly
tensorflow_quietly.load()
import dltrain
dltrain.load(sys.argv[1]).answer  # imports are no part of the time
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
assert cli.main(["predict", sys.argv[1], "--input", sys.argv[2], "--output", sys.argv[3]]) == 0
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
import json
print(json.dumps({"seconds": seconds, "before": before / 1024, "peak": peak / 1024}))
"""
BARE = """
import json, sys, time
from dltrain import tensorflow_quietly
tensorflow_quietly.load()
import keras, numpy as np, pandas as pd, tensorflow as tf
model = keras.models.load_model(sys.argv[1] + "/model.keras", compile=False)
frame = pd.read_csv(sys.argv[2])
frame = frame.fillna({name: "" for name in frame if frame[name].dtype == "str"})
frame = pd.concat([frame] * int(sys.argv[3]), ignore_index=True)
arrays = {name: frame[name].to_numpy(dtype=object if each.dtype == "string" else np.float64)[:, None]
          for name, each in model.input.items()}
rows, batch, found = len(frame), int(sys.argv[4]), {}
graph = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)
def in_graph():
    for first in range(0, rows, batch):
        np.asarray(graph({name: tf.constant(cells[first:first + batch]) for name, cells in arrays.items()}))
def in_predict():
    inputs = {name: tf.constant(cells) for name, cells in arrays.items()}
    model.predict(inputs, batch_size=batch, verbose=0)
for name, call in {"model.predict": in_predict, "graph": in_graph}.items():
    began = time.perf_counter()
    call()
    found[name] = rows / (time.perf_counter() - began)
print(json.dumps(found))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
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
        rates = {}
        for name, size in {"tenth.csv": rows // 10, "all.csv": rows}.items():
            found = call(PREDICT, run, root / name, root / "answers.csv")
            rates[name] = size / found["seconds"]
            print(
                f"dltrain predict  {size:>9,} rows  {found['seconds']:6.1f} s  {rates[name]:>9,.0f} rows/s  "
                f"peak {found['peak']:,.0f} MB (before the first row {found['before']:,.0f} MB)"
            )
        bare = call(BARE, run, piece, max(1, min(rows, 1_000_000) // 20_000), 16_384)
        for name, rate in bare.items():
            print(f"bare {name:13} {rate:>9,.0f} rows/s  dltrain predict runs at {rates['all.csv'] / rate:.2f} of that")


def call(script: str, *arguments: object) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
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
