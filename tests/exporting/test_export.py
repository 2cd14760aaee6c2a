"""What is exported says in its own runtime what the run's model says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dltrain
from dltrain.cli.main import main

QUICK = ("score_test=always", "callbacks=learning_rate", "quiet=true")
RUNS = {
    "table": ("model=linear", "dataset.problem=multiclass", "scaling=robust"),
    "embedding": ("model.units=[2]", "encoding=embedding", "scaling=quantile", "dataset.problem=regression"),
    "labels": ("model=linear", "dataset.problem=multilabel", "scaling=minmax", "imputation.indicators=false"),
    "text": ("model=text_bag", "dataset.kind=text", "text.ngrams=2", "text.sequence_length=9"),
    "image": ("model=linear", "dataset.kind=image", "dataset.image_size=4"),
    "neighbors": ("model=modern_nca", "model.dimension=4", "model.neighbors=20"),
}
# What takes a few seconds each; the others are slow.
QUICK_ONES = {("table", "onnx"), ("text", "tflite"), ("embedding", "saved_model")}
PAIRS = [
    pytest.param(name, kind, marks=[] if (name, kind) in QUICK_ONES else pytest.mark.slow)
    for name in RUNS
    for kind in ("saved_model", "onnx", "tflite")
    if (name, kind) != ("embedding", "onnx")
]
SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import onnxruntime
from rows import to_answers, to_inputs
session = onnxruntime.InferenceSession(sys.argv[1] + "/model.onnx")
rows = json.loads(sys.stdin.read())
print(json.dumps(to_answers(session.run(None, to_inputs(rows))[0])))
assert not [name for name in sys.modules if name.startswith(("dltrain", "tensorflow", "keras"))]
"""

SCRIPT_TFLITE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import tensorflow as tf
from rows import to_answers, to_inputs
runner = tf.lite.Interpreter(sys.argv[1] + "/model.tflite").get_signature_runner("serving_default")
answers = runner(**to_inputs(json.loads(sys.stdin.read())))
print(json.dumps(to_answers(next(iter(answers.values())))))
assert not [name for name in sys.modules if name.startswith("dltrain")]
"""


@pytest.fixture(scope="module")
def make_run(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("exported")

    def make(name: str) -> Path:
        if not (root / name).exists():
            run_in(root / name, *RUNS[name], *QUICK)
        return root / name

    return make


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_scores_are_the_same(
    name: str, kind: str, make_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if kind == "onnx":
        pytest.importorskip("tf2onnx", reason="needs the extra `export`")
        pytest.importorskip("onnxruntime", reason="needs the extra `export`")
    output = tmp_path / "exported"
    assert main(["export", str(make_run(name)), "--format", kind, "--output", str(output)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (told,) = (line for line in lines if line.startswith("largest difference"))
    assert any("holds train rows" in line for line in lines) == (name == "neighbors")
    assert float(told.split()[2]) < 1e-5
    assert "16 rows (12 validation rows, 4 made up)" in told
    columns = json.loads((output / "columns.json").read_text())
    assert [column["name"] for column in columns["columns"]] == list(dltrain.load(make_run(name)).network.input)
    assert [path.name for path in tmp_path.iterdir()] == ["exported"]


def test_companion_needs_neither_dltrain_nor_tensorflow(make_run: Any, tmp_path: Path) -> None:
    pytest.importorskip("tf2onnx", reason="needs the extra `export`")
    pytest.importorskip("onnxruntime", reason="needs the extra `export`")
    import pandas as pd

    run = make_run("table")
    assert main(["export", str(run), "--format", "onnx", "--output", str(tmp_path / "onnx")]) == 0
    numbers = {f"numeric_{n}": 0.5 * n for n in range(4)}
    rows: list[dict[str, Any]] = [
        {**numbers, "category_0": "level_1", "category_1": "level_2"},
        {**numbers, "numeric_0": None, "category_0": None, "category_1": "level_9"},
    ]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "onnx")],
        input=json.dumps(rows), capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = dltrain.load(run).predict(pd.DataFrame(rows))
    assert [each["prediction"] for each in found] == list(expected["prediction"])
    for name in ("class_0", "class_1", "class_2"):
        shares = [each["probabilities"][name] for each in found]
        np.testing.assert_allclose(shares, expected[f"probability_{name}"], atol=1e-6)


PASSENGERS = [
    ("Braund, Mr. Owen", "male", 22.0, 1, None),
    ("Rothes, the Countess. of", "female", None, 0, "c85 C87"),
    ("no title", None, 4.0, None, "T"),
]


@pytest.fixture(scope="module")
def engineered(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("engineered") / "run"
    run_in(run, "dataset=titanic", "dataset.engineered=true", "model=linear", "trainer.epochs=1", *QUICK)
    return run


@pytest.mark.parametrize(
    "kind", ["saved_model", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("tflite", "onnx"))]
)
def test_made_columns_are_made_behind_raw_ones(
    kind: str, engineered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is exported takes names and cabins, and makes titles and decks itself."""
    import pandas as pd
    import tensorflow as tf

    if kind == "onnx":
        pytest.importorskip("tf2onnx", reason="needs the extra `export`")
        pytest.importorskip("onnxruntime", reason="needs the extra `export`")
    output = tmp_path / "exported"
    assert main(["export", str(engineered), "--format", kind, "--output", str(output)]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert float(told.out.splitlines()[-2].split()[2]) < 1e-5
    rows: list[dict[str, Any]] = [
        {"pclass": "3", "name": name, "sex": sex, "age": age, "sibsp": siblings, "parch": 0, "fare": 9.5}
        | {"embarked": "S", "cabin": cabin}
        for name, sex, age, siblings, cabin in PASSENGERS
    ]
    expected = dltrain.load(engineered).predict(pd.DataFrame(rows))["probability_1"]
    columns = json.loads((output / "columns.json").read_text())["columns"]
    if kind == "saved_model":
        assert {column["name"] for column in columns} == set(rows[0])
        served = tf.saved_model.load(output / "model").signatures["serving_default"]
        missing = {"float64": np.nan, "string": ""}
        inputs = {
            column["name"]: tf.constant(
                [[missing[column["dtype"]] if row[column["name"]] is None else row[column["name"]]] for row in rows],
                column["dtype"],
            )
            for column in columns
        }
        found = next(iter(served(**inputs).values())).numpy()[:, 0]
    else:
        script = SCRIPT if kind == "onnx" else SCRIPT_TFLITE
        done = subprocess.run(
            [sys.executable, "-c", script, str(output)],
            input=json.dumps(rows), capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found = [answer["probabilities"]["1"] for answer in json.loads(done.stdout.splitlines()[-1])]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_another_answer_is_refused(make_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A number that 32 bits cannot hold: what is exported would say something else, so it is not kept."""
    lines = [f"{1_700_000_000 + n},{n % 7}" for n in range(60)]
    (tmp_path / "table.csv").write_text("time,target\n" + "\n".join(lines) + "\n")
    source = ("dataset=csv", f"dataset.path={tmp_path / 'table.csv'}", "dataset.target=target", "task=regression")
    kinds = ("+dataset.kinds.time=numeric", "model=linear", "optimizer.learning_rate=1.0", "trainer.epochs=5")
    run = tmp_path / "run"
    words = [*source, *kinds, *QUICK, f"hydra.run.dir={run}"]
    assert main(words) == 0
    assert main(["export", str(run), "--format", "tflite", "--output", str(tmp_path / "lite")]) == 1
    assert "32 bits may be too few" in capsys.readouterr().err
    assert not (tmp_path / "lite").exists()
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".part")] == []


@pytest.mark.slow
def test_what_a_runtime_cannot_run_is_refused(
    make_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scaling by quantiles takes a mean of 64-bit numbers, which onnxruntime has not."""
    pytest.importorskip("tf2onnx", reason="needs the extra `export`")
    pytest.importorskip("onnxruntime", reason="needs the extra `export`")
    run = make_run("embedding")
    assert main(["export", str(run), "--format", "onnx", "--output", str(tmp_path / "onnx")]) == 1
    assert "onnx cannot carry this model, saved_model can" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_existing_folder_is_left_alone(make_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["export", str(make_run("table")), "--format", "saved_model", "--output", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_rows_are_made_up_where_the_data_is_gone(make_run: Any, tmp_path: Path) -> None:
    from dltrain.exporting.export import export

    shutil.copytree(make_run("embedding"), tmp_path / "run")
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    facts["data"]["sha256"] = "0" * 64
    (tmp_path / "run" / "run.json").write_text(json.dumps(facts))
    exported = export(dltrain.load(tmp_path / "run"), "saved_model", tmp_path / "out")
    assert exported.rows == 4
    assert exported.which.startswith("made up")
    assert exported.difference < 1e-6
