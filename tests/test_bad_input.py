"""What a person can do wrong: a sentence for each fault, exit code 2, and nothing left behind."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dltrain.cli.main import main

LINEAR = (
    *("model=linear", "trainer.epochs=1", "quiet=true", "report=false"),
    *("~callbacks.tensorboard", "~callbacks.progress"),
)
# id: the words typed, and a part of the one sentence that answers. None of these needs any data.
CONFIG_FAULTS: dict[str, tuple[str, str]] = {
    "shares": (
        "split=ratio split.train=0.7 split.validation=0.2 split.test=0.2",
        "split: expected three shares that add",
    ),
    "monitor": ("callbacks.early_stopping.monitor=val_acuracy", "'val_accuracy'"),
    "monitor of the task": ("task.monitor=val_mae", "task.monitor: no metric of task=binary gives 'val_mae'"),
    "batch of one": ("trainer.batch_size=1", "trainer.batch_size: batch normalization of a single row"),
    "dropout": ("model.dropout=1.0", "model.dropout: expected a share from 0 to below 1, got 1.0"),
    "softmax": ("task=binary task.activation=softmax", "softmax over the single unit"),
    "two schedules": ("schedule=cosine callbacks=[default,reduce_on_plateau]", "schedule=cosine: expected one of the"),
    "instance": ("normalization=instance", "needs images"),
    "groups": ("normalization=group normalization.groups=7", "7 does not divide the"),
    "unknown class": ("optimizer._target_=keras.optimizers.Adamm", "Did you mean 'Adam'"),
    "unknown module": ("model._target_=kears.models.mlp", "model._target_: "),
    "callback without a mapping": ("callbacks.early_stopping=5", "expected a mapping with a _target_ or null, got 5"),
    "loss by name": ("task.loss=mse", "task.loss: expected a mapping with a _target_, got the text 'mse'"),
    "no such key": ("trainer.epohcs=3", "Did you mean trainer.epochs=3"),
    "no such option": ("optimizer=adm", "Did you mean optimizer=adam"),
    "word for a number": ("trainer.epochs=many", "trainer.epochs: expected an integer"),
    "no rows": ("rows=0", "rows: expected an integer of at least 10"),
    "path below a file": ("hydra.run.dir=file/run", "hydra.run.dir: the directory 'file/run' cannot be made"),
    "emptied group": ("optimizer={}", "optimizer: an empty mapping is merged into what is there"),
    "emptied metrics": ("task.metrics={}", "Delete single keys with ~task.metrics.accuracy."),
    "emptied number": ("optimizer.learning_rate={}", "optimizer.learning_rate: expected a number, got {}"),
    "emptied null": ("schedule={}", "schedule: expected a mapping with a _target_ or null, got {}"),
    "integer for a choice": ("trainer.deterministic=7", "trainer.deterministic: expected one of auto, True, False"),
    "one for true": ("trainer.jit_compile=1", "trainer.jit_compile: expected one of auto, True, False, got 1"),
    "list for a choice": ("report=[]", "report: expected one of auto, True, False, got []"),
    "null for a number": ("optimizer.beta_1=null", "optimizer.beta_1: expected a number, got null"),
    "null for true or false": (
        "imputation.indicators=null",
        "indicators: expected true or false, got null",
    ),
    "word for a limit": ("optimizer.clipnorm=x", "optimizer.clipnorm: expected a number above 0, got x"),
    "number for a monitor": ("callbacks.early_stopping.monitor=7", "monitor: expected the name of a metric, such as"),
    "units beyond memory": ("model.units=[99999999999]", "model.units[0]: expected a number from 1 to 2,147,483,647"),
    "metric of values": ("+task.metrics.x._target_=keras.metrics.Mean", "averages values and compares none"),
    "directions by number": ("search=random search.directions=7", "search.directions: expected text or a list"),
    "no directory": ("hydra.run.dir=''", "hydra.run.dir: expected a directory, such as outputs/new, got the text ''"),
    "root": ("hydra.run.dir=/", "hydra.run.dir: '/' holds other files"),
    "folder of the person": ("hydra.run.dir=mine", "hydra.run.dir: 'mine' holds other files (notes.txt)"),
    "sweep in it": ("-m seed=1,2 hydra.sweep.dir=mine", "hydra.sweep.dir: 'mine' holds other files (notes.txt)"),
    "damaged sweep": ("-m seed=1,2 hydra.sweep.dir=cut", "cut/sweep.json' cannot be read"),
    "sweep of another kind": ("-m seed=1,2 hydra.sweep.dir=list", "list/sweep.json' is damaged: expected a mapping"),
    "used directory": ("hydra.run.dir=used", "'used' holds another run"),
}


def table(rows: int = 30) -> dict[str, list[Any]]:
    """Columns that a run has nothing against."""
    return {
        "size": [round(math.sin(row), 3) for row in range(rows)],
        "port": ["ABC"[row % 3] for row in range(rows)],
        "target": [row % 2 for row in range(rows)],
    }


def csv_of(columns: dict[str, list[Any]]) -> bytes:
    return pd.DataFrame(columns).to_csv(index=False).encode()


GOOD = csv_of(table())
ON_TABLE = "dataset=csv dataset.path=table.csv dataset.target=target"
# id: the bytes of table.csv, the words typed, and a part of the one sentence that answers.
DATA_FAULTS: dict[str, tuple[bytes, str, str]] = {
    "no file": (GOOD, f"{ON_TABLE} dataset.path=tabel.csv", "tabel.csv"),
    "empty": (b"", ON_TABLE, "table.csv is empty"),
    "header only": (b"size,target\n", ON_TABLE, "table.csv has a header and no rows"),
    "no target": (GOOD, f"{ON_TABLE} dataset.target=tagret", "no column 'tagret'. Did you mean 'target'?"),
    "too many fields": (GOOD + b"1,A,0,7\n", ON_TABLE, "line 32"),
    "too few fields": (GOOD + b"1,A\n", ON_TABLE, "line 32"),
    "encoding": (GOOD.replace(b"A", "Ä".encode()), f"{ON_TABLE} dataset.encoding=ascii", "ascii"),
    "no encoding": (GOOD, f"{ON_TABLE} dataset.encoding=utf-88", "utf-88"),
    "words in numbers": (GOOD, f"{ON_TABLE} +dataset.kinds.port=numeric", "'port'"),
    "infinite": (csv_of({**table(), "size": [*range(29), math.inf]}), ON_TABLE, "'size'"),
    "one class": (csv_of({**table(), "target": ["yes"] * 30}), ON_TABLE, "yes"),
    "too many classes": (
        csv_of({**table(12), "target": [f"c{row}" for row in range(12)]}),
        f"{ON_TABLE} task=multiclass",
        "target",
    ),
    "few rows": (csv_of(table(9)), ON_TABLE, "9 rows with a target, expected at least 10"),
    "column twice": (GOOD.replace(b"port", b"size"), ON_TABLE, "two columns are named 'size'"),
    "no feature": (csv_of({"target": table()["target"]}), ON_TABLE, "no feature is left"),
    "target missing": (csv_of({**table(), "target": [""] * 30}), ON_TABLE, "target"),
    "three classes": (GOOD, "dataset=wine task=binary", "has 3 (class_0, class_1, class_2)"),
    "beyond the unit": (GOOD, "dataset=boston task=unit_regression", "unit_regression"),
    "words as numbers": (GOOD, f"{ON_TABLE} dataset.target=port task=regression", "regression"),
    "no text": (GOOD, "dataset=titanic model=text_bag", "text"),
    "no callback": (GOOD, "dataset=wine +callbacks.mine._target_=fractions.Fraction", "is not a Keras callback"),
    "weight of no class": (GOOD, "dataset=wine task.class_weight={class_9: 2}", "class_9"),
    "no official test": (GOOD, "dataset=wine split=official", "official"),
    "directory": (GOOD, f"{ON_TABLE} dataset.path=folder", "folder"),
}


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def words_of(line: str) -> list[str]:
    """The words of a line; a blank after a comma or colon belongs to the word."""
    words: list[str] = []
    for word in line.split(" "):
        if words and words[-1].endswith((",", ":")):
            words[-1] += f" {word}"
        else:
            words.append(word)
    return words


def prepare(folder: Path) -> None:
    """What the faulty words name."""
    (folder / "file").write_text("no folder")
    (folder / "used").mkdir()
    (folder / "used" / "run.json").write_text("{}")
    for name, file, text in (
        ("mine", "notes.txt", "mine"),
        ("cut", "sweep.json", '{"words": ['),
        ("list", "sweep.json", '{"words": 5, "space": [], "working_directory": "."}'),
    ):
        (folder / name).mkdir()
        (folder / name / file).write_text(text)
    (folder / "folder").mkdir()


def files(folder: Path) -> dict[str, bytes]:
    return {path.as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_refused(code: int, error: str, sentence: str) -> None:
    assert code == 2, error
    lines = error.splitlines()
    assert len(lines) == 1, error
    assert lines[0].startswith("error: ")
    assert sentence in lines[0]


@pytest.mark.parametrize("fault", CONFIG_FAULTS)
def test_fault_of_the_configuration(working_directory: Path, capsys: pytest.CaptureFixture[str], fault: str) -> None:
    prepare(working_directory)
    before = files(working_directory)
    line, sentence = CONFIG_FAULTS[fault]
    code = main(words_of(line))
    out, error = capsys.readouterr()
    assert_refused(code, error, sentence)
    assert out == ""
    assert files(working_directory) == before
    assert not (working_directory / "outputs").exists()


def test_faults_of_the_configuration_are_found_without_tensorflow(working_directory: Path) -> None:
    prepare(working_directory)
    lines = [words_of(line) for line, _ in CONFIG_FAULTS.values()]
    code = (
        "import json, sys; from dltrain.cli.main import main;"
        f"print([main(words) for words in {lines!r}], 'tensorflow' in sys.modules)"
    )
    # The workers of a refused sweep may have begun to import TensorFlow, whose messages follow the tests' setting.
    kept = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**kept, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout == f"{[2] * len(lines)} False\n"
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())


def test_what_keras_refuses_in_the_training_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    metric = ("+task.metrics.mine._target_=keras.metrics.MeanMetricWrapper", "+task.metrics.mine.fn=abs")
    assert main(["dataset=synthetic", *metric, *LINEAR, "hydra.run.dir=run"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: Keras cannot train or score this network: ")
    assert "'str' object is not callable" in line
    assert json.loads(Path("run/run.json").read_text())["status"] == "failed"
    assert "Traceback" in Path("run/dltrain.log").read_text()


def test_all_faults_come_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trainer.epohcs=3", "optimizer=adm", "model.dropout=x", "rows=1"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("error: ") for line in lines)


@pytest.mark.parametrize("fault", DATA_FAULTS)
def test_fault_of_the_data(working_directory: Path, capsys: pytest.CaptureFixture[str], fault: str) -> None:
    prepare(working_directory)
    content, line, sentence = DATA_FAULTS[fault]
    (working_directory / "table.csv").write_bytes(content)
    before = files(working_directory)
    model = [] if "model=" in line else ["model=linear"]
    code = main([*words_of(line), *model, "trainer.epochs=1", "quiet=true"])
    out, error = capsys.readouterr()
    assert_refused(code, error, sentence)
    assert "Traceback" not in out
    assert files(working_directory) == before
    assert list(working_directory.glob("outputs/*/*")) == []


def test_directory_of_the_users_gets_nothing_from_a_refused_run(
    working_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (working_directory / "mine").mkdir()
    (working_directory / "mine" / "notes.txt").write_text("keep")
    assert main(["dataset=wine", "task=binary", "hydra.run.dir=mine", "quiet=true"]) == 2
    assert_refused(2, capsys.readouterr().err, "'mine' holds other files (notes.txt)")
    assert files(working_directory) == {(working_directory / "mine" / "notes.txt").as_posix(): b"keep"}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a directory that nobody can write to is known on Linux alone")
def test_directory_that_cannot_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert_refused(main(["hydra.run.dir=/proc/nope"]), capsys.readouterr().err, "'/proc/nope' cannot be made")


@pytest.mark.parametrize("name", ["splits.json", "predictions.csv", "best.keras"])
def test_full_disk(
    working_directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if Path(target).name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    assert main(["dataset=wine", *LINEAR, "hydra.run.dir=run"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert "No space left on device" in line
    assert name in line
    run = json.loads((working_directory / "run" / "run.json").read_text())
    assert run["status"] == "failed"
    assert "No space left" in run["error"]
    assert list(working_directory.rglob(".part-*")) == []
    assert not (working_directory / "run" / name).exists()


numbers = st.one_of(
    st.floats(-10, 10).map(lambda value: round(value, 2)),
    st.sampled_from([0.0, -0.0, 1e-300, 1e-40, 1e38, 1e39, -1e300, 1e18, 2.0**53]),
    st.integers(-3, 3),
    st.just(math.nan),
)
letters = st.sampled_from(
    ["", "a", "b", "Ä, ö", 'say "x"', "日本", "two\nlines", "NA", " ", "-", "007", "🚢", "e\u0301"]
)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Columns of numbers, words or both, with gaps and rows that come twice; the first is the target."""
    rows = draw(st.one_of(st.integers(20, 60), st.integers(1, 60)))
    cells = [numbers, letters, st.one_of(numbers, letters), st.sampled_from(["a", "b", "Ö"]), st.floats(-1, 1)]
    names = draw(
        st.lists(st.sampled_from(["a", "b b", "Größe", "x/y", "1", "c.d"]), min_size=1, max_size=5, unique=True)
    )
    columns = {
        name: draw(st.lists(draw(st.sampled_from(cells)), min_size=rows, max_size=rows)) for name in ["target", *names]
    }
    if rows > 1 and draw(st.booleans()):
        columns = {name: [*values[: rows // 2], *values[: rows - rows // 2]] for name, values in columns.items()}
    return columns


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(columns=tables())
def test_any_table_trains_or_is_refused(
    working_directory: Path, capsys: pytest.CaptureFixture[str], columns: dict[str, list[Any]]
) -> None:
    capsys.readouterr()
    number = len(list(working_directory.glob("*.csv")))
    pd.DataFrame(columns).to_csv(working_directory / f"table_{number}.csv", index=False)
    run = working_directory / f"run_{number}"
    code = main(
        [
            "dataset=csv",
            f"dataset.path=table_{number}.csv",
            "dataset.target=target",
            "model.units=[2]",
            "trainer.epochs=1",
            "~callbacks.tensorboard",
            "~callbacks.progress",
            "quiet=true",
            "report=false",  # that of any table is in tests/test_attack.py
            f"hydra.run.dir={run.name}",
        ]
    )
    error = capsys.readouterr().err
    assert "Traceback" not in error
    if code == 2:
        assert [line for line in error.splitlines() if not line.startswith("error: ")] == []
        assert error
        assert not run.exists()
        return
    status = json.loads((run / "run.json").read_text())["status"]
    if code == 1:
        assert error.startswith("error: ")
        assert status == "failed"
        return
    assert (code, status) == (0, "completed")
    metrics = json.loads((run / "metrics.json").read_text())
    for part in ("train", "validation", "test"):
        # A part of one class has no area under the curve; every other number is one.
        absent = [name for name, value in metrics[part].items() if value is None]
        assert absent in ([], ["auc"]), part
