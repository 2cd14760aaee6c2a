"""A scaling, a dataset, a metric and a model are one YAML and one file each, and a verb is one file."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dltrain
from dltrain.cli.main import main
from dltrain.record.listing import rows_below
from dltrain.record.record import Record

SMALL = ["--config-dir", "conf", "model=linear", "trainer.epochs=3", "quiet=true", "~callbacks.tensorboard"]
TABLE = [*SMALL, "dataset=synthetic", "dataset.rows=200", "dataset.noise=0.5"]

SCALING = """
    import keras

    def widest(values):
        "Divides by the greatest absolute value of the train rows."
        greatest = abs(values).max(axis=0) if hasattr(values, "max") else [abs(column).max() for column in values]
        return lambda tensor: keras.ops.divide(tensor, keras.ops.convert_to_tensor(greatest, tensor.dtype))
"""
DATASET = """
    import numpy as np
    from dltrain.data.dataset import Dataset

    def load(*, name, rows):
        numbers = np.random.default_rng(0).normal(size=(rows, 2))
        return Dataset(
            name=name,
            columns={"width": numbers[:, 0], "height": numbers[:, 1]},
            kinds={"width": "numeric", "height": "numeric"},
            target={"area": numbers[:, 0] + 2 * numbers[:, 1]},
            row_ids=np.arange(rows),
            source=f"{rows} rectangles",
        )
"""
METRIC = """
    import keras

    class Agreement(keras.metrics.MeanMetricWrapper):
        "1 where the class is right, -1 where it is wrong."

        direction = "max"
        best = 1.0

        def __init__(self, name="agreement", dtype=None):
            super().__init__(lambda true, given: 1 - 2 * abs(keras.ops.round(given) - true), name=name, dtype=dtype)

        def get_config(self):
            return {"name": self.name, "dtype": self.dtype}
"""
MODEL = """
    import keras

    def wide(inputs, head, *, units, initializer):
        return head(keras.layers.Dense(units, "relu", kernel_initializer=initializer())(inputs.flat()))
"""
AGREEMENT = """
    defaults: [binary]
    metrics:
      kappa: {_target_: own_metric.Agreement}
    monitor: val_kappa
"""


@pytest.fixture(autouse=True)
def _working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("own_scaling", "own_dataset", "own_metric", "own_model"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def add(module: str, code: str, option: str, content: str) -> None:
    """Writes the two files that a person writes."""
    Path(f"{module}.py").write_text(textwrap.dedent(code))
    Path("conf", option).parent.mkdir(parents=True)
    Path("conf", f"{option}.yaml").write_text(textwrap.dedent(content))


def run(words: list[str], directory: str = "run") -> tuple[Record, str]:
    """Runs it with a report, and as a smoke run; gives the record and the report."""
    assert main([*words, f"hydra.run.dir={directory}", "report=true"]) == 0
    assert main([*words, f"hydra.run.dir={directory}_smoke", "experiment=smoke"]) == 0
    return Record(directory), Path(directory, "report.html").read_text()


@pytest.mark.slow
def test_a_scaling() -> None:
    add("own_scaling", SCALING, "scaling/widest", "_target_: own_scaling.widest")
    record, page = run([*TABLE, "scaling=widest"])
    assert record.choices["scaling"] == "widest"
    assert "own_scaling.widest" in page

    import keras

    from dltrain.inference.overlap import run_dataset
    from dltrain.preprocessing.fit import raw_inputs

    dataset, parts = run_dataset(record)
    rows = parts["test"]
    model = keras.saving.load_model("run/model.keras")  # the scaling is in it
    given = np.asarray(model(raw_inputs(dataset.take(rows)))).ravel()
    with Path("run/predictions.csv").open(newline="") as file:
        told = {
            row["row_id"]: float(row["probability_class_1"]) for row in csv.DictReader(file) if row["part"] == "test"
        }
    assert given == pytest.approx([told[str(row)] for row in dataset.row_ids[rows]], abs=1e-6)


@pytest.mark.slow
def test_a_dataset() -> None:
    add("own_dataset", DATASET, "dataset/rectangles", "{_target_: own_dataset.load, name: rectangles, rows: 120}")
    record, page = run([*SMALL, "dataset=rectangles", "dataset.rows=100"])
    assert record.facts["data"]["name"] == "rectangles"
    assert record.facts["data"]["rows"] == 100
    assert record.json("signature.json")["task"] == "regression"  # as the target shows
    assert "100 rectangles" in page
    assert {"width", "height"} <= {column["name"] for column in record.json("signature.json")["columns"]}


@pytest.mark.slow
def test_a_metric() -> None:
    add("own_metric", METRIC, "task/agreement", AGREEMENT)
    words = [*TABLE, "task=agreement"]
    record, page = run(words)
    assert record.traits("val_kappa").direction == "max"
    values = [epoch["val_kappa"] for epoch in record.history]
    assert record.metrics["best_value"] == max(values)
    scores = {part: record.scores(part) for part in ("train", "validation", "test")}
    assert all(scores[part]["kappa"] == pytest.approx(2 * scores[part]["accuracy"] - 1) for part in scores)
    low, high = record.metrics["intervals"]["test"]["kappa"]
    assert low < scores["test"]["kappa"] < high
    assert all("kappa" in found["test"] for found in record.metrics["baselines"].values())
    assert "kappa" in page
    listed = {Path(row.run).name: row.values for row in rows_below(Path())}
    assert listed["run"]["validation.kappa"] == scores["validation"]["kappa"]

    sweep = [*words, "-m", "optimizer.learning_rate=1e-7,0.3", "hydra.sweep.dir=sweep"]
    assert main(sweep) == 0
    best = json.loads(Path("sweep/best.json").read_text())
    assert (best["direction"], best["monitor"]) == ("max", "val_kappa")
    values = [Record(Path("sweep", job)).metrics["best_value"] for job in ("0", "1")]
    assert best["value"] == max(values) > min(values)
    assert (
        main(["plan", *words, "search=random", "search.objectives=[val_kappa]", "+search.space.seed.choices=[1,2]"])
        == 0
    )


@pytest.mark.slow
def test_a_model() -> None:
    add("own_model", MODEL, "model/wide", "{_target_: own_model.wide, units: 7}")
    record, page = run([*(word for word in TABLE if word != "model=linear"), "model=wide", "model.units=5"])
    assert record.settings["model.units"] == 5
    assert "The model wide with" in page
    assert main(["predict", "run", "--input", "table.csv"]) == 2  # there is no such file
    assert Path("run/model.keras").exists()


def test_a_verb(tmp_path: Path) -> None:
    package = tmp_path / "copy" / "dltrain"
    shutil.copytree(Path(dltrain.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package.parent / "conf").symlink_to(Path(dltrain.__file__).parents[1] / "conf")
    (package / "verbs" / "greet.py").write_text(
        textwrap.dedent(
            """
            from dltrain.verbs import Verb, argument

            def _run(given):
                print("Hello,", given.name)
                return 0

            VERB = Verb(
                name="greet",
                summary="Greets a person.",
                description="Greets a person by name.",
                examples="  dltrain greet Ada",
                arguments=(argument("name", help="of the person"), argument("--loud", action="store_true")),
                function=_run,
            )
            """
        )
    )

    def told(*words: str) -> str:
        environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(package.parent)}
        command = [sys.executable, "-m", "dltrain", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert told("greet", "Ada") == "Hello, Ada\n"
    assert "Greets a person by name." in told("greet", "--help")
    assert "greet      Greets a person." in told("--help")
