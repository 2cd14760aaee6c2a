"""One model on several devices or processes: the numbers of one, and a clear word where it cannot be."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.cli import main as cli

# Equal shares of every batch, and nothing that each replica does by itself: 48 rows train.
WORDS = (
    "dataset=synthetic",
    "dataset.rows=80",
    "model.units=[4]",
    "model.dropout=0",
    "normalization=none",
    "trainer.epochs=3",
    "trainer.batch_size=8",
    "quiet=true",
    "report=false",
)
# Two devices on any machine: its processor, twice.
TWO_DEVICES = """
import sys
from dltrain.internals import tensorflow_quietly
tensorflow_quietly.load()
import tensorflow as tf
one = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [one, one])
from dltrain.cli.main import main
sys.exit(max(main(["strategy=mirrored", "strategy.devices=[CPU:0,CPU:1]", *words.split()])
             for words in sys.argv[1].split(";")))
"""
COMMAND = [sys.executable, "-m", "dltrain"]


def environment(**own: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), **own}


def history(run: Path) -> Any:
    with (run / "history.csv").open(newline="") as file:
        return np.array([[float(cell) for cell in row.values()] for row in csv.DictReader(file)])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("strategy=mirrored",), "over the GPUs of this host: expected at least two, got 0. Use strategy=none."),
        (("strategy=mirrored", "strategy.devices=[CPU:0]"), "over the devices of this host: expected at least two"),
        (("strategy=mirrored", "strategy.devices=[CPU:0,CPU:7]"), "there is no CPU:7 here. Choose from CPU:0."),
        (("strategy=multi_worker",), "with the environment variable TF_CONFIG"),
        (("strategy=mirrored", "cv=kfold"), "expected one training with a strategy, or strategy=none"),
        (("strategy=mirrored", "seeds=2"), "expected one training with a strategy, or strategy=none"),
        (("-m", "strategy=multi_worker", "seed=1,2"), "joins processes for one run: expected no -m"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_strategy_that_cannot_apply_is_refused(
    words: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert cli.main([*words, *WORDS]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not list(tmp_path.rglob("run.json"))


@pytest.mark.parametrize("given", ["{", "[]", '{"cluster": {"worker": ["one:1"]}, "task": {"index": 0}}'])
def test_cluster_that_is_none_is_refused(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CONFIG", given)
    assert cli.main(["strategy=multi_worker", *WORDS]) == 2
    assert f"index of its own; got {given!r}." in capsys.readouterr().err


@pytest.mark.slow
def test_two_workers_give_the_numbers_of_one(run_in: Any, tmp_path: Path) -> None:
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    workers = [
        subprocess.Popen(
            [*COMMAND, *WORDS, "strategy=multi_worker", f"hydra.run.dir={tmp_path}/{place}"],
            env=environment(TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": place}})),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for place in range(2)
    ]
    said = [worker.communicate(timeout=300)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    alone = history(run_in(tmp_path / "alone", *WORDS).path)
    for place in range(2):
        np.testing.assert_allclose(history(tmp_path / str(place)), alone, rtol=1e-5, atol=1e-6)
        assert "2 replicas share each batch, 4 rows each" in (tmp_path / str(place) / "dltrain.log").read_text()
    assert history(tmp_path / "0").tolist() == history(tmp_path / "1").tolist()


@pytest.mark.slow
def test_two_devices_give_the_numbers_of_one(run_in: Any, tmp_path: Path) -> None:
    # What one process trains after the first, as the jobs of a sweep: callbacks, embeddings, images, streaming.
    small = "dataset=synthetic dataset.rows=80 trainer.epochs=2 quiet=true report=false"
    others = [
        f"{small} callbacks=[default,convergence,batch_loss,layer_spread,gradient_check] optimizer.use_ema=true",
        f"{small} dataset.kind=image model=cnn model.filters=[2] augmentation=[mirroring,mixup]",
        f"{small} dataset.kind=text model=text_bag",
        f"{small} trainer.engine=streaming optimizer=sgd task.class_weight=balanced",
    ]
    jobs = [" ".join(WORDS), *others]
    words = ";".join(f"{job} hydra.run.dir={tmp_path}/{place}" for place, job in enumerate(jobs))
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, words], env=environment(), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    alone = history(run_in(tmp_path / "alone", *WORDS).path)
    np.testing.assert_allclose(history(tmp_path / "0"), alone, rtol=1e-5, atol=1e-6)
    for place in range(1, len(jobs)):
        assert np.isfinite(history(tmp_path / str(place))).all()
    resume = [sys.executable, "-c", TWO_DEVICES.replace('"strategy=mirrored", "strategy.devices=[CPU:0,CPU:1]", ', "")]
    again = subprocess.run(
        [*resume, f"resume {tmp_path}/0 trainer.epochs=4"],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stderr[-3000:]
    assert len(history(tmp_path / "0")) == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("trainer.batch_size=33", "2 replicas share each batch, expected a multiple of 2, got 33."),
        ("trainer.batch_size=48 dataset.rows=81", "the last has 1 left for 2 replicas"),
    ],
)
def test_unequal_shares_are_refused(words: str, message: str, tmp_path: Path) -> None:
    small = f"dataset=synthetic dataset.rows=80 trainer.epochs=2 quiet=true {words} hydra.run.dir={tmp_path}/run"
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, small], env=environment(), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "run" / "run.json").exists()
