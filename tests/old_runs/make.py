"""Writes the runs and sweeps that tests/test_old_runs.py reads, by the version of dltrain that is installed.

They were written by commit 7d259f4, the last before the modules moved into packages; there is no reason to write them
anew, as a run of today says nothing of old ones. In a checkout of that commit:

    PYTHONPATH=. python make.py FOLDER
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

SMALL = ("dataset=synthetic", "dataset.rows=60", "model.units=[2]", "trainer.epochs=2", "quiet=true", "report=false")
FINISHED = {
    "binary": ("dataset=csv", "dataset.path=table.csv", "dataset.target=bought"),
    "multiclass": ("dataset.problem=multiclass",),
    "multilabel": ("dataset.problem=multilabel",),
    "regression": ("dataset.problem=regression",),
    "unit_regression": ("dataset.problem=unit_regression",),
    "gaussian_regression": ("dataset.problem=regression", "task=gaussian_regression", "report=auto"),
    "tabular": ("dataset.problem=multiclass", "model=tabular", "model.ensemble=2", "model.units=[2]"),
    "text": ("dataset.kind=text", "model=text_bag", "text.vocabulary_size=20"),
    "image": ("dataset.kind=image", "model=cnn", "model.filters=[2]", "model.units=[2]"),
    "cv": ("cv=kfold", "cv.folds=2"),
    "seeds": ("seeds=2",),
}
INTERRUPTED = ("trainer.epochs=5", "schedule=cosine")
SWEEP = (
    *("-m", "task=multiclass", "dataset.problem=multiclass", "trainer.epochs=3"),
    *("optimizer=adam,sgd", "regularizer=l2,none"),
    "task.loss._target_=dltrain.objectives.SparseCategoricalCrossentropy",
)
SEARCH = ("search=bayesian", "search/space=learning_rate", "search.jobs=5", "search.sampler.startup_jobs=2")
LEFT_OUT = ("tensorboard", "plots", "report.html", "training.previous.state")


def _stop_in(training: int, epoch: int, number: signal.Signals) -> None:
    """Sends this process a signal at the end of an epoch (from 1) of one of its trainings (from 1)."""
    from dltrain.training.state import TrainingState

    whole, begun = TrainingState.on_epoch_end, [0]

    def stopping(self: Any, at: int, logs: Any = None) -> None:
        begun[0] += at == 0
        if (begun[0], at + 1) == (training, epoch):
            if number == signal.SIGKILL:
                self._look(at + 1, 0, save=True)
            os.kill(os.getpid(), number)
        whole(self, at, logs)

    TrainingState.on_epoch_end = stopping


def _run(folder: Path, name: str, words: tuple[str, ...], stop: tuple[int, int, signal.Signals] | None = None) -> None:
    os.chdir(folder)
    if stop:
        _stop_in(*stop)
    given = {word.partition("=")[0] for word in words}
    small = [word for word in SMALL if word.partition("=")[0] not in given]
    if "dataset" in given:
        small.remove("dataset.rows=60")
    if given & {"model"} and "model.units" not in given:
        small.remove("model.units=[2]")
    place = "sweep" if name in ("sweep", "search") else "run"
    sys.argv = ["dltrain", *words, *small, f"hydra.{place}.dir={name}"]
    from dltrain.cli import main

    print(name, main(sys.argv[1:]))


def _table(file: Path) -> None:
    generator = np.random.default_rng(0)
    with file.open("w", newline="", encoding="utf-8") as lines:
        rows = csv.writer(lines)
        rows.writerow(("age", "city", "income", "bought"))
        for _ in range(60):
            age, income = int(generator.integers(18, 80)), round(float(generator.normal(30, 8)), 2)
            city = ("Bern", "Oslo", "Riga")[generator.integers(3)]
            rows.writerow((age, city, "" if generator.random() < 0.1 else income, "yes" if age + income > 80 else "no"))


def make_neutral(folder: Path, conf: Path) -> None:
    """Takes out what names the machine, and makes all paths relative to the folder."""
    for file in [path for path in folder.rglob("*") if path.is_file()]:
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        text = text.replace(f"{folder}/", "").replace(str(folder), ".").replace(str(conf), "conf")
        text = re.sub(r'"host": "[^"]*"', '"host": "host"', text)
        text = re.sub(r'"platform": "[^"]*"', '"platform": "Linux-x86_64"', text)
        text = re.sub(r'"pid": \d+', '"pid": 1', text)
        text = re.sub(r'File ".*/', 'File "', text)
        text = "host 1" if file.name == ".main" else text
        if file.name == "run.json":
            facts = json.loads(text)
            text = json.dumps(facts | {"working_directory": ".", "git": None}, indent=2, ensure_ascii=False) + "\n"
        file.write_text(text, "utf-8")


def main(folder: Path) -> None:
    """Writes all runs below a folder, and packs them beside it."""
    import dltrain

    folder.mkdir(parents=True)
    _table(folder / "table.csv")
    processes = multiprocessing.get_context("spawn")

    def apart(*arguments: Any) -> None:
        process = processes.Process(target=_run, args=(folder, *arguments))
        process.start()
        process.join()

    for name, words in FINISHED.items():
        apart(name, words)
    apart("interrupted", INTERRUPTED, (1, 3, signal.SIGINT))
    apart("sweep", SWEEP, (3, 2, signal.SIGKILL))
    apart("search", SEARCH, (3, 1, signal.SIGINT))
    for path in [each for name in LEFT_OUT for each in folder.rglob(name)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    make_neutral(folder, Path(dltrain.__file__).parents[1] / "conf")
    pack(folder)


def pack(folder: Path) -> None:
    """Writes the two archives beside a folder of runs and sweeps."""
    runs = (*FINISHED, "interrupted", "table.csv")
    for names, archive in ((runs, "runs.tar.gz"), (("sweep", "search"), "sweeps.tar.gz")):
        with tarfile.open(folder.with_name(archive), "w:gz") as packed:
            for name in names:
                packed.add(folder / name, name, filter=_nobody)


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
