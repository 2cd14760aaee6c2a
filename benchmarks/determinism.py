"""What TensorFlow's deterministic operations cost, and what they change: each training in a process of its own.

    python benchmarks/determinism.py [--repeats 3]

Trains each line of the table below with and without `tf.config.experimental.enable_op_determinism()`, on all cores, and
prints the seconds of processor time that the training phase took and how many different histories came out.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LINES = {
    "mlp": ["dataset=titanic"],
    "wide mlp": ["dataset=synthetic", "dataset.rows=20000", "model.units=[1024,1024]", "trainer.batch_size=512"],
    "text_bag": ["dataset=synthetic", "dataset.kind=text", "dataset.rows=5000", "model=text_bag"],
    "embedded categories": ["dataset=titanic", "encoding=embedding", "trainer.batch_size=512"],
}
EPOCHS = {"wide mlp": 5, "text_bag": 20, "embedded categories": 50}


def child(deterministic: bool, words: list[str]) -> None:
    """One training; prints its seconds and its history."""
    import tensorflow as tf

    from dltrain.cli import main as cli
    from dltrain.experiment import experiment

    if deterministic:
        tf.config.experimental.enable_op_determinism()
    train, seconds = experiment.train_network, []

    def timed(*arguments: object, **options: object) -> object:
        began = time.process_time()
        result = train(*arguments, **options)  # type: ignore[arg-type]
        seconds.append(time.process_time() - began)
        return result

    experiment.train_network = timed  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        assert cli.main([*words, "quiet=true", "score_test=never", f"hydra.run.dir={folder}/run"]) == 0
        history = (Path(folder) / "run" / "history.csv").read_text()
    print(f"\nRESULT {seconds[0]} {hash_of(history)}")


def hash_of(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=argparse.REMAINDER)
    flags = parser.parse_args()
    if flags.child:
        child(flags.child[0] == "on", flags.child[1:])
        return
    for name, given in LINES.items():
        words = [*given, "~callbacks.early_stopping", f"trainer.epochs={EPOCHS.get(name, 100)}"]
        found: dict[str, list[tuple[float, str]]] = {"off": [], "on": []}
        for _ in range(flags.repeats):
            for which, results in found.items():
                command = [sys.executable, __file__, "--child", which, *words]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                _, seconds, digest = next(
                    line for line in done.stdout.splitlines() if line.startswith("RESULT")
                ).split()
                results.append((float(seconds), digest))
        times = {which: statistics.median(seconds for seconds, _ in results) for which, results in found.items()}
        print(
            f"{name:20} off {times['off']:.2f} s, on {times['on']:.2f} s ({times['on'] / times['off'] - 1:+.0%}); "
            f"different histories of {flags.repeats}: off {len({digest for _, digest in found['off']})}, "
            f"on {len({digest for _, digest in found['on']})}, "
            f"both {len({digest for results in found.values() for _, digest in results})}",
            flush=True,
        )


if __name__ == "__main__":
    main()
