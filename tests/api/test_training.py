"""What Python gets is what the command writes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dltrain
from dltrain.cli.main import main

WORDS = ["dataset=wine", "model.units=[4]", "trainer.epochs=3", "report=false"]
WRITTEN_LATER = {"report.html", "plots", "insights.json", "what_if.json"}  # by tests of the shared run
FILES = ("history.csv", "predictions.csv", "metrics.json", "splits.json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory of the runs of this module."""
    before, place = Path.cwd(), tmp_path_factory.mktemp("api")
    os.chdir(place)
    yield place
    os.chdir(before)


@pytest.fixture(scope="module")
def command(folder: Path) -> Path:
    """The directory of a run of the command."""
    assert main([*WORDS, "quiet=true", "hydra.run.dir=command"]) == 0
    return folder / "command"


def same(one: Path, other: Path) -> None:
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_python_gives_the_numbers_of_the_command(command: Path, run: dltrain.Run) -> None:
    same(command, run.directory)
    names = {path.name for path in run.directory.iterdir()} - WRITTEN_LATER
    assert {path.name for path in command.iterdir()} == names


def test_nothing_is_printed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    dltrain.train(*WORDS, directory="silent")
    assert capfd.readouterr() == ("", "")


def test_what_was_set_before_neither_changes_the_numbers_nor_is_lost(command: Path) -> None:
    import keras
    import tensorflow as tf

    from dltrain.internals.determinism import is_deterministic, make_deterministic

    make_deterministic(False)
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("mixed_float16")
    keras.config.set_epsilon(1e-3)
    tf.config.run_functions_eagerly(True)
    random.seed(7)
    np.random.seed(7)
    try:
        run = dltrain.train(*WORDS, directory="after_other_use")
        assert keras.config.floatx() == "float64"
        assert keras.config.dtype_policy().name == "mixed_float16"
        assert keras.config.epsilon() == 1e-3
        assert tf.config.functions_run_eagerly()
        assert not is_deterministic()
        drawn = random.random(), np.random.random()
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        keras.config.set_epsilon(1e-7)
        tf.config.run_functions_eagerly(False)
    same(command, run.directory)
    random.seed(7)
    np.random.seed(7)
    assert drawn == (random.random(), np.random.random())


def test_what_cannot_be_changed_any_more_is_refused_by_name(folder: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default(), pytest.raises(dltrain.ConfigError, match="eager execution is off"):
        dltrain.train(*WORDS)
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    with strategy.scope(), pytest.raises(dltrain.ConfigError, match=r"tf.distribute strategy is around the call"):
        dltrain.train(*WORDS)


def test_a_frame_gives_the_numbers_of_its_file(folder: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"rooms": rng.normal(size=80), "street": rng.choice(["a", "b"], 80)})
    frame["price"] = frame["rooms"] * 2 + (frame["street"] == "a")
    frame.to_parquet("houses.parquet")
    small = {"model": "linear", "trainer__epochs": 1, "report": False}
    one = dltrain.train(data=frame, target="price", directory="of_frame", **small)  # type: ignore[arg-type]
    other = dltrain.train(data="houses.parquet", target="price", directory="of_file", **small)  # type: ignore[arg-type]
    for name in FILES[:2]:
        assert (one.directory / name).read_bytes() == (other.directory / name).read_bytes()
    assert one.metrics.equals(other.metrics)
    assert list((one.directory / "data").iterdir()) == [Path(one.config.dataset.path)]
    assert main(["reproduce", str(one.directory), "--output", "again"]) == 0


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"optimzer": "adam", "trainer__epohcs": 3}, "optimzer: there is no such key."),
        ({"optimizer": "adam,sgd"}, "optimizer: there is no option 'adam,sgd'."),
        ({"search": "random"}, "search: a search has many jobs. Call dltrain.sweep."),
        ({"target": "y"}, "target has no effect without data"),
        ({"data": "x.csv", "dataset": "wine"}, "data and dataset=… are both given"),
        ({"keep": "all"}, "keep has no effect on a single run: it is for sweeps. Call dltrain.sweep."),
    ],
)
def test_faults_are_raised_as_a_list_and_leave_nothing(
    arguments: dict[str, Any], fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(dltrain.ConfigError) as refused:
        dltrain.train(**arguments)
    assert refused.value.faults[0].startswith(fault)
    assert not list(tmp_path.iterdir())


def test_words_that_need_many_jobs_are_sent_to_sweep(folder: Path) -> None:
    with pytest.raises(dltrain.ConfigError, match=r"Call dltrain.sweep to run each of them"):
        dltrain.train("dataset=wine", "optimizer=adam,sgd")


def test_a_fault_of_the_data_is_raised_too(folder: Path) -> None:
    frame = pd.DataFrame({"a": range(20), "y": [0, 1] * 10})
    with pytest.raises(dltrain.DataError, match="the data frame: no feature is left"):
        dltrain.train(data=frame, target="y")


def test_a_sweep_lists_its_jobs_and_gives_the_best(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = dltrain.sweep(*WORDS, optimizer=["adam", "sgd"], directory="sweep")
    assert capfd.readouterr().out == ""
    assert list(found.results["status"]) == ["completed", "completed"]
    assert sorted(found.results["optimizer"]) == ["adam", "sgd"]
    assert found.best.directory.parent == found.directory
    more = found.resume(optimizer=["adam", "sgd", "rmsprop"], extend=True)
    assert sorted(more.results["optimizer"]) == ["adam", "rmsprop", "sgd"]


@pytest.mark.slow
def test_calls_one_after_another_give_the_numbers_of_a_process_of_its_own(folder: Path, command: Path) -> None:
    words = [*WORDS, "quiet=true", "hydra.run.dir=alone"]
    subprocess.run([sys.executable, "-m", "dltrain", *words], check=True, cwd=folder)
    same(command, folder / "alone")
    calls = """
import dltrain
dltrain.train("dataset=titanic", trainer__epochs=1, report=False, directory="first")
dltrain.train(*{words!r}, directory="second")
"""
    subprocess.run([sys.executable, "-c", calls.format(words=WORDS)], check=True, cwd=folder)
    same(command, folder / "second")
